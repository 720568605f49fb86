//! The module `json` as Lua code sees it.

use crate::testing::Lua;

fn lua() -> Lua {
    Lua::new(&[(c"json", super::open)])
}

#[test]
fn values_become_text() {
    lua().run(
        r##"
        local function check(value, text) local got, err = json.encode(value); assert(got == text, tostring(got or err)) end
        check("hello", '"hello"') check(42, "42") check(true, "true") check(nil, "null") check(false, "false")
        check({1, 2, 3}, "[1,2,3]") check({"a", "b"}, '["a","b"]') check({}, "[]")
        check({name = "Alice", age = 30}, '{"age":30,"name":"Alice"}')
        check({items = {{qty = 2, sku = "ABC"}}, id = "o", total = 99.50}, '{"id":"o","items":[{"qty":2,"sku":"ABC"}],"total":99.5}')
        check(math.mininteger, "-9223372036854775808") check(math.maxinteger, "9223372036854775807") check(0, "0") check(-7, "-7") check(1234567, "1234567")
        check(1.5, "1.5") check(10 / 2, "5") check(1e300, "1e+300") check(-0.0, "-0") check(0.1, "0.1")
        check(1/0, "null") check(-1/0, "null") check({0/0}, "[null]")
        check('a"b\\c\n\t\r\b\f\0\31', [["a\"b\\c\n\t\r\b\f\u0000\u001f"]])
        check("gr\u{fc}n \u{1f600} \127", '"gr\u{fc}n \u{1f600} \127"')
        check("a\xffb\xc3", '"a\u{fffd}b\u{fffd}"')
        local object = {a = 1}; object.a = nil
        check(object, "{}")
        check(json.decode("{}"), "{}") check(json.decode("[]"), "[]")
        local filled = {}; for i = 8, 1, -1 do filled[i] = i end
        check(filled, "[1,2,3,4,5,6,7,8]")
        local shrunk = {1, 2, 3, 4, 5}; shrunk[5] = nil; shrunk[4] = nil
        check(shrunk, "[1,2,3]")
        local same = {1}; check({same, same}, "[[1],[1]]")
        check({b = 1, a = 2, ab = 3, [""] = 4, abcdefgh2 = 5, abcdefgh1 = 6}, '{"":4,"a":2,"ab":3,"abcdefgh1":6,"abcdefgh2":5,"b":1}')
    "##,
    );
}

#[test]
fn what_has_no_text_says_where_and_why() {
    lua().run(
        r##"
        local function check(value, text)
            local got, err = json.encode(value)
            assert(got == nil and err:kind() == "Internal" and err:message():find(text, 1, true), tostring(err))
        end
        local cycle = {}; cycle.self = {cycle}
        check(cycle, "recursive table reference (at self[1])")
        check({1, nil, 3}, "sparse array") check({[2] = 1}, "sparse array") check({[0] = 1}, "sparse array") check({[math.mininteger] = 1}, "sparse")
        check({1, a = 2}, "mixes") check({[1.5] = 1}, "fractional number") check({[true] = 1}, "boolean") check({[{}] = 1}, "table")
        check({user = {roles = {"a", print}}}, "a function has no JSON form (at user.roles[2])")
        check(coroutine.create(print), "a thread has no JSON form")
        cycle.err = errors.new("x"); check(cycle, "recursive table reference")
        local deep = {}; for i = 1, 127 do deep = {deep} end
        assert(json.encode(deep) == ("["):rep(128) .. ("]"):rep(128))
        check({deep}, "nesting exceeds 128 levels")
        local ok, raised = pcall(json.encode); assert(not ok and raised:find("bad argument #1"), raised)
    "##,
    );
}

#[test]
fn errors_stand_for_their_text() {
    lua().run(
        r##"
        local err = errors.new({message = "gone", kind = errors.NOT_FOUND})
        assert(json.encode(err) == '"gone"')
        local empty, shared = {x = 1}, {1, {err}}
        empty.x = nil
        local text = json.encode({error = err, empty = empty, none = {}, list = {shared, shared}})
        assert(text == '{"empty":{},"error":"gone","list":[[1,["gone"]],[1,["gone"]]],"none":[]}', text)
        assert(shared[2][1] == err)
        local deep = err; for i = 1, 128 do deep = {deep} end
        assert(json.encode(deep) == ("["):rep(128) .. '"gone"' .. ("]"):rep(128))
        assert(not json.encode({deep}))
    "##,
    );
}

#[test]
fn text_becomes_values() {
    lua().run(
        r##"
        local user = json.decode('{"name":"Bob","active":true,"none":null}')
        assert(user.name == "Bob" and user.active == true and user.none == nil)
        local items = json.decode(' [ 10 , 20 ,\n30 ] ')
        assert(items[1] == 10 and #items == 3 and math.type(items[1]) == "integer")
        assert(json.decode('{"a":{"b":[{"c":[]}]}}').a.b[1].c)
        local list = json.decode('[1,null,3]'); assert(list[1] == 1 and list[2] == nil and list[3] == 3)
        local function number(text, value, kind) local got = json.decode(text); assert(got == value and math.type(got) == kind, text .. " " .. tostring(got)) end
        number("0", 0, "integer") number("-12", -12, "integer") number("1.5", 1.5, "float") number("1e3", 1000.0, "float") number("-0", 0.0, "float")
        number("9223372036854775807", math.maxinteger, "integer") number("-9223372036854775808", math.mininteger, "integer")
        number("9223372036854775808", 2^63, "float") number("123456789012345678901234567890", 123456789012345678901234567890.0, "float")
        number("0.1", 0.1, "float") number("2.2250738585072014e-308", 2.2250738585072014e-308, "float") number("1.7976931348623157e308", 1.7976931348623157e308, "float")
        number("123456.789e-2", 1234.56789, "float") number("0.000001", 1e-6, "float") number("-1.25", -1.25, "float")
        assert(1 / json.decode("-0") == -math.huge)
        assert(json.decode([["a\"\\\/\b\f\n\r\tz\u00e9\ud83d\ude00\u0000"]]) == 'a"\\/\b\f\n\r\tz\u{e9}\u{1f600}\0')
        assert(json.decode([["\ud83dx"]]) == "\u{fffd}x" and json.decode([["\ude00"]]) == "\u{fffd}" and json.decode([["\ud83d\u0041"]]) == "\u{fffd}A")
        assert(json.decode('"gr\u{fc}n und lang genug"') == "gr\u{fc}n und lang genug")
        local last = json.decode('{"a":1,"b":2,"a":3}'); assert(last.a == 3 and last.b == 2)
        assert(json.decode('{"a":1,"a":null}').a == nil)
    "##,
    );
}

#[test]
fn long_containers_are_complete() {
    lua().run(
        r##"
        for _, count in ipairs{1, 63, 64, 65, 127, 128, 129, 255, 1000, 5000} do
            local list, object = {}, {}
            for i = 1, count do list[i] = i * 2; object["key" .. i] = {i} end
            local back = json.decode(json.encode(list))
            assert(#back == count)
            for i = 1, count do assert(back[i] == i * 2) end
            local seen = 0
            for key, value in pairs(json.decode(json.encode(object))) do seen = seen + 1; assert(key == "key" .. value[1]) end
            assert(seen == count)
        end
    "##,
    );
}

#[test]
fn text_that_is_no_json_says_where() {
    lua().run(
        r##"
        local function check(text, message)
            local got, err = json.decode(text)
            assert(got == nil and err:kind() == "Internal" and err:message():find(message, 1, true), text .. ": " .. tostring(err or got))
        end
        check("", "line 1, column 1: unexpected end") check("not json", "line 1, column 2: expected a value, found 'o'") check("[1,\n  x]", "line 2, column 3: expected a value, found 'x'")
        check("[1 2]", "expected ',' or ']'") check('{"a" 1}', "expected ':'") check('{"a":1,}', "expected a key") check("{a:1}", "expected a key")
        check("[1,]", "expected a value") check("1 2", "nothing more") check("[", "unexpected end") check('"abc', "unexpected end") check('{"a":', "unexpected end")
        check("01", "malformed number") check("-", "unexpected end") check("1.", "unexpected end") check("1.x", "malformed number") check("1e", "unexpected end") check("+1", "expected a value") check(".5", "expected a value")
        check("1e999", "number is too large") check('"\1"', "control character") check([["\x"]], "unknown escape") check([["\u12g4"]], "unknown escape")
        check('"\xff"', "not valid UTF-8") check('"ok\\n\xc3"', "not valid UTF-8") check('{"\xff":1}', "not valid UTF-8") check("nul", "unexpected end") check("trux", "expected a value") check("NaN", "expected a value")
        assert(json.decode(("["):rep(128) .. ("]"):rep(128)))
        check(("["):rep(129), "128 levels") check(("[{\"a\":"):rep(100000), "128 levels")
        local value, err = json.decode(5); assert(value == nil and err:kind() == errors.INVALID, tostring(err))
        value, err = json.decode(); assert(value == nil and err:kind() == errors.INVALID, tostring(err))
    "##,
    );
}

#[test]
fn no_bytes_panic() {
    let lua = lua();
    lua.run(
        r##"
        local alphabet = {"{", "}", "[", "]", ":", ",", '"', "\\", "u", "d83d", "1", "-", ".", "e9", "true", "null", "a", " ", "\xff", "\0"}
        math.randomseed(7)
        for round = 1, 20000 do
            local parts = {}
            for i = 1, math.random(0, 24) do parts[i] = alphabet[math.random(#alphabet)] end
            local text = table.concat(parts)
            local value, err = json.decode(text)
            if err then assert(value == nil and err:message():find("invalid JSON", 1, true)) elseif type(value) ~= "table" then assert(json.encode(value)) end
            json.validate_string({type = "object"}, text)
            json.validate_string(text, text)
        end
    "##,
    );
}

#[test]
fn a_schema_decides_over_values() {
    lua().run(
        r##"
        local schema = {
            type = "object",
            properties = {
                name = {type = "string", minLength = 1}, email = {type = "string", format = "email"},
                age = {type = "integer", minimum = 0, maximum = 150}, tags = {type = "array", items = {type = "string"}, maxItems = 2, uniqueItems = true},
            },
            required = {"name", "email"},
        }
        local function good(value, with) local ok, err = json.validate(with or schema, value); assert(ok == true and err == nil, tostring(err)) end
        local function bad(value, message, with)
            local ok, err = json.validate(with or schema, value)
            assert(ok == false and err:kind() == "Invalid" and err:message():find(message, 1, true), tostring(err))
        end
        good{name = "Alice", email = "alice@example.com", age = 30} good{name = "A", email = "a@b.c", tags = {}, extra = 1} good{name = "A", email = "a@b.c", age = 30.0}
        bad({name = "", email = "alice@example.com"}, "name: is 0 characters long, minLength is 1")
        bad({name = "A", email = "not-an-email"}, "email: is no valid email") bad({name = "A"}, "required field 'email' is missing")
        bad({name = 5, email = "a@b.c"}, "name: expected string, got integer") bad({name = "A", email = "a@b.c", age = 151}, "age: 151 breaks maximum 150")
        bad({name = "A", email = "a@b.c", age = 1.5}, "age: expected integer, got number") bad({name = "A", email = "a@b.c", tags = {"x", 2}}, "tags[2]: expected string")
        bad({name = "A", email = "a@b.c", tags = {"x", "y", "z"}}, "maxItems is 2") bad({name = "A", email = "a@b.c", tags = {"x", "x"}}, 'holds "x" twice')
        bad("text", "value: expected object, got string") bad({1, 2}, "expected object, got array")
        good(42, '{"type":"number","minimum":0}') bad(-1, "breaks minimum 0", '{"type":"number","minimum":0}')
        good("update", {enum = {"create", "update"}}) bad("drop", '"drop" is none of "create", "update"', {enum = {"create", "update"}})
        good({}, {type = "array"}) good({}, {type = "object"}) good(nil, {type = "null"}) good(nil, {type = {"string", "null"}})
        good("abc", {pattern = "^a.c$"}) bad("abd", "does not match the pattern", {pattern = "^a.c$"})
        good(3, {anyOf = {{type = "string"}, {minimum = 3}}}) bad(2, "anyOf", {anyOf = {{type = "string"}, {minimum = 3}}})
        good(3, {oneOf = {{type = "string"}, {minimum = 3}}}) bad(3, "fits 2", {oneOf = {{type = "integer"}, {minimum = 3}}}) bad(3, "in not", {["not"] = {const = 3}})
        good({kind = "a", a = 1}, '{"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["a"]},"else":{"required":["b"]}}')
        bad({kind = "b", a = 1}, "'b' is missing", '{"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["a"]},"else":{"required":["b"]}}')
        bad({a = 1, x = 2}, "field 'x' is not allowed", {properties = {a = {}}, additionalProperties = false}) good({x_1 = 2}, {patternProperties = {["^x_"] = {type = "integer"}}, additionalProperties = false})
        good(4.5, {multipleOf = 1.5}) bad(4, "multipleOf", {multipleOf = 1.5}) good({1, "a"}, {prefixItems = {{type = "integer"}, {type = "string"}}, items = false}) bad({1, "a", 2}, "nothing is allowed", {prefixItems = {{}, {}}, items = false})
        good({value = 1, next = {value = 2}}, '{"$defs":{"node":{"required":["value"],"properties":{"next":{"$ref":"#/$defs/node"}}}},"$ref":"#/$defs/node"}')
        bad({value = 1, next = {}}, "next: required field 'value'", '{"$defs":{"node":{"required":["value"],"properties":{"next":{"$ref":"#/$defs/node"}}}},"$ref":"#/$defs/node"}')
        bad({1, 2}, "0 elements fit", {contains = {type = "string"}}) bad({a = 1}, "'b' is missing", {dependentRequired = {a = {"b"}}})
        bad(1, "invalid schema", {type = "strange"}) bad(1, "invalid schema", "{") bad(1, "without end", '{"$ref":"#"}') bad(1, "leads nowhere", '{"$ref":"#/x"}') bad("a", "pattern", {pattern = "("})
        local loop = {}; loop.loop = loop; bad(loop, "too deep", {type = "object"})
        assert(json.validate_string(schema, '{"name":"A","email":"a@b.c"}') == true)
        local ok, err = json.validate_string({properties = {a = {type = "string"}}}, '{"a":null}'); assert(ok == false and err:message():find("a: expected string, got null", 1, true))
        ok, err = json.validate_string(schema, "{"); assert(ok == false and err:kind() == "Invalid" and err:message():find("invalid JSON", 1, true))
        assert(not pcall(json.validate, 5, 1) and not pcall(json.validate, {}) and not pcall(json.validate_string, {}, {}))
    "##,
    );
}
