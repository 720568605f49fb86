local check = require("check")
local config = require("config")

type User = { name: string, age?: integer, tags: {string} }
type Box<T> = { value: T }
type Scores = { [string]: number }
type Id = integer | string
type Maybe = string?
type Handler = (name: string, count: integer) -> boolean

local function listed(iterator: any): {string}
    local names = {}
    for item in iterator do
        table.insert(names, item:name())
    end
    return names
end

check.case("a type called gives the value back, or raises", function()
    local user: any = { name = "ada", tags = {} }
    check.is_true(rawequal(User(user), user))
    check.contains(check.raises("user.tags[2]: expected string, got number", function()
        User({ name = "ada", tags = { "a", 2 } })
    end), "type_values:main:23:")
end)

check.case("is, with a colon and with a point, gives the value or the path and both sides", function()
    local good: any, bad: any = { name = "ada", tags = {} }, { name = 1, tags = {} }
    for _, is in ipairs({ User.is, function(value: any): any return User:is(value) end }) do
        local value, problem = is(good)
        check.is_true(rawequal(value, good))
        check.equal(problem, nil)
        value, problem = is(bad)
        check.equal({ value, tostring(problem) }, { nil, "user.name: expected string, got number" })
    end
end)

check.case("validators say what they wanted", function()
    local function problem(host: any, port: any): string
        local _, found = config.Config:is({ host = host, port = port })
        return tostring(found)
    end
    check.equal(problem("h", 80), "nil")
    check.contains(problem("", 80), "config.host: expected length")
    check.contains(problem("h", 0), "config.port: expected min 1, got 0")
    check.contains(problem("h", 70000), "config.port: expected max 65535, got 70000")
    type Word = string @pattern("^[a-z]+$")
    local _, found = Word:is("A")
    check.contains(tostring(found), "expected pattern \"^[a-z]+$\", got \"A\"")
end)

check.case("base names are values, and their functions validate too", function()
    local samples: {any} = { 1.5, "s", true, 2, {}, print }
    for index, base in ipairs({ Number, String, Boolean, Integer, Table, Function }) do
        check.is_true(rawequal(base(samples[index]), samples[index]), base:name())
    end
    check.equal({ Any(1), Nil(nil), (String:is(1)) }, { 1, nil, nil })
    check.equal({ string("s"), number(1), integer(2.0), boolean(false) }, { "s", 1, 2, false })
    check.equal({ string.upper("a"), ("b"):rep(2) }, { "A", "bb" })
    check.raises("expected integer", function() integer(1.5) end)
end)

check.case("integers may be integral floats, records are open, arrays are sequences, functions are only functions", function()
    check.equal(Integer:is(3.0), 3)
    check.is_true(User:is({ name = "a", tags = {}, more = 1 }) ~= nil)
    check.equal((User:is({ name = "a", tags = { "a", nil, "c" } })), nil)
    check.is_true(Handler:is(print) ~= nil)
    check.equal((Handler:is(1)), nil)
end)

check.case("reflection", function()
    check.equal({ User:kind(), User:name(), Scores:kind(), Id:kind(), Handler:kind() }, { "record", "User", "map", "union", "function" })
    local fields = {}
    for name, field in User:fields() do
        table.insert(fields, name .. " " .. field:name())
    end
    check.equal(fields, { "name string", "age integer", "tags {string}" })
    check.equal({ User.name:kind(), User.tags:kind(), User.tags:elem():name() }, { "string", "array", "string" })
    check.equal({ Scores:key():name(), Scores:val():name(), Maybe:kind(), Maybe:inner():name() }, { "string", "number", "optional", "string" })
    check.equal(listed(Id:variants()), { "integer", "string" })
    check.equal({ listed(Handler:params()), Handler:ret():name() }, { { "string", "integer" }, "boolean" })
    local parameters = {}
    for name in Box:tparams() do
        table.insert(parameters, name)
    end
    check.equal(parameters, { "T" })
end)

check.case("a generic type takes types", function()
    local Texts = Box(String)
    check.equal({ Texts:is({ value = 1 }) == nil, Texts({ value = "x" }).value }, { true, "x" })
end)

check.case("typeof gives the declared type, or the one of the value", function()
    local user: User = { name = "ada", tags = {} }
    check.is_true(typeof(user) == User)
    local anything: any = 1
    check.equal(typeof(anything):name(), "integer")
end)

check.case("types compare, and are keys", function()
    type Named = { name: string }
    check.equal({ Integer <= Number, Integer < Number, Number < Number, Number <= Integer }, { true, true, false, false })
    check.equal({ Box(String) == Box(String), Box(String) == Box(Number), User <= Named }, { true, false, true })
    local handlers: any = { [User] = "user", [Number] = "number" }
    check.equal({ handlers[User], handlers[Number], handlers[String] }, { "user", "number", nil })
end)

return { main = check.main }
