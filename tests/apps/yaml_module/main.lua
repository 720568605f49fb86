local check = require("check")
local yaml = require("yaml")

check.case("scalars have their types", function()
    local value = yaml.decode([[
name: test
count: 42
ratio: 3.14
enabled: true
nothing: null
quoted: "42"
tags:
  - lua
  - moonlet
server: { host: localhost, ports: [80, 443] }
]])
    check.equal(value, {
        name = "test",
        count = 42,
        ratio = 3.14,
        enabled = true,
        quoted = "42",
        tags = { "lua", "moonlet" },
        server = { host = "localhost", ports = { 80, 443 } },
    })
    check.equal(math.type(value.count), "integer")
end)

check.case("an Error is its text", function()
    check.equal(yaml.encode({ error = errors.new("not there") }), "error: not there\n")
end)

check.case("anchors, merges and blocks", function()
    local value = yaml.decode("base: &base {a: 1, b: 2}\nuse:\n  <<: *base\n  b: 3\ntext: |\n  one\n  two\n")
    check.equal(value.use, { a = 1, b = 3 })
    check.equal(value.text, "one\ntwo\n")
end)

check.case("a document may be a scalar or a list", function()
    check.equal(yaml.decode("hello"), "hello")
    check.equal(yaml.decode("- 1\n- 2"), { 1, 2 })
    check.equal(yaml.decode("true"), true)
    local value, err = yaml.decode("null")
    check.is_nil(value)
    check.is_nil(err)
end)

check.case("fields come sorted, or as they are asked for", function()
    local entry = { zebra = 1, alpha = 2, name = "test", kind = "demo" }
    check.equal(yaml.encode(entry, { sort_unordered = true }), "alpha: 2\nkind: demo\nname: test\nzebra: 1\n")
    local ordered = yaml.encode(entry, { field_order = { "name", "kind" }, sort_unordered = true })
    check.equal(ordered, "name: test\nkind: demo\nalpha: 2\nzebra: 1\n")
    check.equal(yaml.encode(entry), yaml.encode(entry, {}))
end)

check.case("nested values are written as blocks", function()
    check.equal(yaml.encode({ "apple", "banana" }), "- apple\n- banana\n")
    check.equal(yaml.encode({ http = { address = ":8080" } }), "http:\n    address: :8080\n")
end)

check.case("what is encoded is decoded", function()
    local value = {
        strings = { "", "true", "1", "a: b", "# no", "two\nlines\n", "- dash", "null", " space ", "ünï", "1.5e3", "2024-01-01" },
        numbers = { 1, 1.5, -2, 0 },
        nested = { { a = { b = { c = { 1, 2, { d = "x" } } } } } },
        flag = false,
    }
    check.equal(yaml.decode(yaml.encode(value)), value)
end)

check.case("what cannot be read or written is an error", function()
    check.fails(errors.INVALID, yaml.decode(""))
    check.fails(errors.INVALID, yaml.decode(42))
    check.fails(errors.INVALID, yaml.encode("text"))
    check.fails(errors.INTERNAL, yaml.decode("a: [1, 2"))
    check.fails(errors.INVALID, yaml.encode({ a = "\xff" }))
    check.fails(errors.INVALID, yaml.encode({ f = print }))
    check.fails(errors.INVALID, yaml.encode({ 1 }, { field_order = "name" }))
end)

check.case("hostile documents are refused", function()
    local lines = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
    for level = 1, 9 do
        local alias = "*a" .. (level - 1)
        lines[#lines + 1] = "a" .. level .. ": &a" .. level .. " [" .. (alias .. ", "):rep(9) .. alias .. "]"
    end
    local value, err = yaml.decode(table.concat(lines, "\n"))
    check.is_nil(value)
    check.is_true(err ~= nil)
    value, err = yaml.decode(("["):rep(10000))
    check.is_nil(value)
    check.is_true(err ~= nil)
end)

return { main = check.main }
