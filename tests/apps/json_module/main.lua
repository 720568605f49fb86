local check = require("check")
local json = require("json")

check.case("plain values", function()
    check.equal(json.encode("hello"), '"hello"')
    check.equal(json.encode(42), "42")
    check.equal(json.encode(true), "true")
    check.equal(json.encode(nil), "null")
    check.equal(json.encode(1.5), "1.5")
    check.equal(json.encode(-0.25), "-0.25")
end)

check.case("arrays and objects", function()
    check.equal(json.encode({ 1, 2, 3 }), "[1,2,3]")
    check.equal(json.encode({}), "[]")
    check.equal(json.encode({ a = { { b = 1 } } }), '{"a":[{"b":1}]}')
    check.equal(json.decode(json.encode({ name = "Alice", age = 30 })), { name = "Alice", age = 30 })
end)

check.case("integers and floats stay what they are", function()
    check.equal(json.decode("[1, 1.0, 1e2, -7, 9007199254740993]"), { 1, 1.0, 100.0, -7, 9007199254740993 })
    check.equal(json.encode(math.maxinteger), "9223372036854775807")
    check.equal(json.decode("9223372036854775807"), math.maxinteger)
end)

check.case("infinity and NaN become null", function()
    check.equal(json.encode({ 1 / 0, -1 / 0, 0 / 0 }), "[null,null,null]")
end)

check.case("text is escaped, and comes back", function()
    check.equal(json.encode('"\\\n\t\0'), '"\\"\\\\\\n\\t\\u0000"')
    check.equal(json.decode('"\\u00e9\\ud83d\\ude00\\/\\b"'), "\u{e9}\u{1F600}/\b")
    local text = "caf\u{e9} \u{1F600} \1\2"
    check.equal(json.decode(json.encode(text)), text)
end)

check.case("what is no text is Invalid", function()
    check.fails(errors.INVALID, json.decode(nil))
    check.fails(errors.INVALID, json.decode(5))
    check.fails(errors.INVALID, json.decode({}))
    check.fails(errors.INVALID, json.decode())
end)

check.case("objects, arrays and literals decode", function()
    check.equal(json.decode(' { "a" : [ true , false , {"b": "c"} ] } '), { a = { true, false, { b = "c" } } })
    check.equal(json.decode("[10, 20, 30]"), { 10, 20, 30 })
    check.is_nil(json.decode("null"))
    check.equal(json.decode('{"a":null}'), {})
end)

check.case("what is not JSON is an error", function()
    for _, text in ipairs({ "", "not valid json", "{", "[1,]", "{\"a\":1,}", "'a'", "01", "1 2", "[1", '"a', "nul", "\0", '"\\x"', "{1:2}" }) do
        local value, err = json.decode(text)
        check.is_nil(value, text)
        check.equal(type(err), "userdata", text)
        check.equal(err:kind(), errors.INTERNAL, text)
    end
end)

check.case("what JSON cannot say is an error", function()
    local cycle = {}
    cycle.self = cycle
    local sparse = { 1, 2, [5] = 5 }
    for name, value in pairs({
        ["a cycle"] = cycle,
        ["a gap"] = sparse,
        ["mixed keys"] = { 1, 2, a = 3 },
        ["a function"] = { print },
        ["a boolean key"] = { [true] = 1 },
    }) do
        local text, err = json.encode(value)
        check.is_nil(text, name)
        check.equal(type(err), "userdata", name)
    end
end)

check.case("an Error is its text", function()
    local err = errors.new({ message = "not there", kind = errors.NOT_FOUND })
    check.equal(json.encode({ ok = false, error = err, list = { err } }), '{"error":"not there","list":["not there"],"ok":false}')
end)

check.case("nesting is bounded, both ways", function()
    local deep, value = {}, {}
    deep = value
    for _ = 1, 200 do
        local inner = {}
        value[1] = inner
        value = inner
    end
    local text, err = json.encode(deep)
    check.is_nil(text)
    check.equal(err:kind(), errors.INTERNAL)
    text, err = json.decode(string.rep("[", 100000))
    check.is_nil(text)
    check.equal(type(err), "userdata")
end)

check.case("the same table twice is no cycle", function()
    local shared = { 1 }
    check.equal(json.encode({ shared, shared }), "[[1],[1]]")
end)

check.case("a long document comes back", function()
    local list = {}
    for number = 1, 10000 do
        list[number] = { id = number, name = "entry " .. number }
    end
    local back = json.decode(json.encode(list))
    check.equal(#back, 10000)
    check.equal(back[10000], { id = 10000, name = "entry 10000" })
end)

return { main = check.main }
