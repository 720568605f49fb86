local check = require("check")
local json = require("json")

check.case("what is absent", function()
    for _, name in ipairs({ "io", "debug", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "package", "jit", "ffi" }) do
        check.is_nil(_G[name], name)
    end
    for _, name in ipairs({ "execute", "exit", "getenv", "remove", "rename", "tmpname", "setlocale" }) do
        check.is_nil(os[name], "os." .. name)
    end
end)

check.case("what is present", function()
    local present = {
        _G = { "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
            "require", "select", "setmetatable", "tonumber", "tostring", "type", "unpack", "xpcall" },
        string = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper",
            "pack", "packsize", "unpack" },
        table = { "concat", "create", "freeze", "insert", "move", "pack", "remove", "sort", "unpack" },
        math = { "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "log", "max", "min", "modf", "rad", "random",
            "randomseed", "sin", "sqrt", "tan", "tointeger", "type", "ult", "pow", "log10", "atan2", "sinh", "cosh", "tanh", "frexp", "ldexp" },
        coroutine = { "create", "isyieldable", "resume", "running", "spawn", "status", "wrap", "yield" },
        errors = { "new", "wrap", "is", "call_stack" },
        os = { "time", "date", "clock", "difftime" },
        utf8 = { "char", "codepoint", "codes", "len", "offset" },
        channel = { "new", "select" },
        payload = { "new" },
        process = { "cancel", "events", "exec", "get_options", "id", "inbox", "link", "listen", "monitor", "pid", "send", "set_options",
            "spawn", "spawn_linked", "spawn_linked_monitored", "spawn_monitored", "terminate", "unlink", "unlisten", "unmonitor", "with_context" },
    }
    for library, names in pairs(present) do
        for _, name in ipairs(names) do
            check.equal(type(_G[library][name]), "function", library .. "." .. name)
        end
    end
    check.equal(type(math.pi), "number")
    check.equal({ math.maxinteger, math.mininteger }, { 9223372036854775807, -9223372036854775807 - 1 })
    check.equal(type(utf8.charpattern), "string")
end)

check.case("library tables are read-only", function()
    for name, library in pairs({
        string = string, table = table, math = math, coroutine = coroutine, errors = errors, os = os, utf8 = utf8,
        channel = channel, payload = payload, process = process, registry = process.registry, event = process.event, json = json,
    }) do
        local ok = pcall(function()
            library.added = 1
        end)
        check.equal(ok, false, name .. " takes a new field")
        check.is_nil(library.added, name)
        local key = name == "registry" and "lookup" or name == "event" and "EXIT" or nil
        for field in pairs(library) do
            key = key or field
        end
        local before = library[key]
        check.equal(pcall(function()
            library[key] = "changed"
        end), false, name .. "." .. tostring(key) .. " can be changed")
        check.is_true(library[key] == before, name)
        check.equal(pcall(setmetatable, library, {}), false, name .. " takes a metatable")
    end
end)

check.case("globals may be set, and are the process's own", function()
    some_global = { 1 }
    check.equal(_G.some_global, { 1 })
    _G.some_global = nil
    check.is_nil(some_global)
end)

check.case("integers and floats", function()
    check.equal({ 7 // 2, 7.0 // 2, -7 // 2, 7 % -3, -7 % 3, 7 / 2, 2 ^ 2 }, { 3, 3.0, -4, -2, 2, 3.5, 4.0 })
    check.equal({ 1 << 4, 0xFF >> 4, 5 & 6, 5 | 6, 5 ~ 6, ~0 }, { 16, 15, 4, 7, 3, -1 })
    check.equal(math.maxinteger + 1, math.mininteger)
    check.equal({ math.type(1), math.type(1.0), math.type("1") }, { "integer", "float" })
    check.equal({ math.tointeger(3.0), math.tointeger(3.5) }, { 3 })
    check.equal({ "10" + 5, "3" * "4", 10 .. 20 }, { 15, 12, "1020" })
    check.is_true(1 == 1.0 and math.ult(1, -1))
    check.raises("number has no integer representation", function()
        return 1.5 | 1
    end)
    check.raises("attempt to", function()
        return 1 // 0
    end)
    check.raises("attempt to", function()
        return 1 % 0
    end)
end)

check.case("numbers print as in Lua 5.3", function()
    for text, value in pairs({
        ["1"] = 1, ["1.0"] = 1.0, ["-0.0"] = -0.0, ["0.1"] = 0.1, ["1e+15"] = 1e15, ["1e+100"] = 1e100, ["3.1415926535898"] = math.pi,
        ["inf"] = 1 / 0, ["-inf"] = -1 / 0, ["123456789012"] = 123456789012, ["9.007199254741e+15"] = 2 ^ 53,
    }) do
        check.equal(tostring(value), text)
    end
    check.equal(tostring(1e14), "1e+14")
    check.equal(tostring(123456.0), "123456.0")
    check.match(tostring(0 / 0), "nan")
    check.equal(string.format("%d %5.2f %x %s %q %g %i", 3, 1.5, 255, true, "a\nb", 0.1, 7), '3  1.50 ff true "a\\\nb" 0.1 7')
    check.raises("number has no integer representation", string.format, "%d", 1.5)
end)

check.case("tonumber", function()
    check.equal({ tonumber("0x10"), tonumber("  12  "), tonumber("1e1"), tonumber("ff", 16), tonumber("zz", 36), tonumber("8", 8) or false }, {
        16, 12, 10.0, 255, 1295, false,
    })
    check.is_nil(tonumber("x"))
    check.is_nil(tonumber(""))
end)

check.case("the mathematics of 5.1 is there", function()
    check.equal({ math.pow(2, 10), math.log10(1000), math.ldexp(0.5, 3) }, { 1024.0, 3.0, 4.0 })
    check.equal({ math.frexp(8) }, { 0.5, 4 })
    check.is_true(math.abs(math.atan2(1, 1) - math.pi / 4) < 1e-12)
    check.is_true(math.abs(math.cosh(1) ^ 2 - math.sinh(1) ^ 2 - 1) < 1e-12)
    check.is_true(math.abs(math.tanh(0.5) - math.sinh(0.5) / math.cosh(0.5)) < 1e-12)
    check.equal({ math.floor(-1.5), math.ceil(-1.5), math.fmod(-7, 3) }, { -2, -1, -1 })
    check.equal({ math.modf(3.25) }, { 3.0, 0.25 })
    check.equal({ math.max(1, 5, 3), math.min(4, 2) }, { 5, 2 })
end)

check.case("random numbers stay in their bounds", function()
    for _ = 1, 200 do
        local value, die, range = math.random(), math.random(6), math.random(-3, 3)
        check.is_true(value >= 0 and value < 1)
        check.is_true(die >= 1 and die <= 6 and range >= -3 and range <= 3)
    end
    math.randomseed(42)
    local first = { math.random(1000), math.random(1000), math.random(1000) }
    math.randomseed(42)
    check.equal({ math.random(1000), math.random(1000), math.random(1000) }, first)
end)

check.case("strings and patterns", function()
    check.equal({ ("hello world"):find("o w") }, { 5, 7 })
    check.equal({ ("key = value"):match("^(%w+)%s*=%s*(%w+)$") }, { "key", "value" })
    check.equal({ ("abc"):gsub("%w", { a = "1", b = false }) }, { "1bc", 3 })
    check.equal(("x,y,,z"):gsub(",", ";"), "x;y;;z")
    check.equal(("THE (quick) fox"):find("%((%a+)%)"), 5)
    check.equal(("f(a(b)c)d"):match("%b()"), "(a(b)c)")
    check.equal(("THE (quick) fox"):match("%f[%a]%a+%f[%A]", 5), "quick")
    local words = {}
    for word in ("one two three"):gmatch("%a+") do
        table.insert(words, word)
    end
    check.equal(words, { "one", "two", "three" })
    check.equal({ ("abc"):byte(1, -1) }, { 97, 98, 99 })
    check.equal(("ab"):rep(3, "-"), "ab-ab-ab")
    check.equal({ string.unpack("<i4", string.pack("<i4", -2)) }, { -2, 5 })
    check.equal({ ("abc"):sub(2), ("abc"):sub(-1), ("abc"):reverse(), ("a\0b"):len() }, { "bc", "c", "cba", 3 })
end)

check.case("utf8", function()
    check.equal(utf8.char(72, 228, 0x1F600), "H\u{e4}\u{1F600}")
    check.equal(utf8.len("H\u{e4}\u{1F600}"), 3)
    check.equal({ utf8.len("\xff") }, { nil, 1 })
    local points = {}
    for _, point in utf8.codes("\u{e4}b") do
        table.insert(points, point)
    end
    check.equal(points, { 0xe4, 98 })
end)

check.case("tables", function()
    check.equal({ table.unpack({ 1, 2, 3 }, 2) }, { 2, 3 })
    check.equal({ unpack({ 1, 2 }) }, { 1, 2 })
    check.equal(table.pack(1, nil, 3), { n = 3, [1] = 1, [3] = 3 })
    check.equal(table.move({ 1, 2, 3 }, 1, 3, 2), { 1, 1, 2, 3 })
    check.equal(table.concat({ 1, 2, "x" }, "-"), "1-2-x")
    local list = { 5, 2, 8, 1 }
    table.sort(list, function(a, b)
        return a > b
    end)
    check.equal(list, { 8, 5, 2, 1 })
    check.equal({ table.remove(list, 1), #list, rawlen(list) }, { 8, 3, 3 })
    check.raises("invalid order function", table.sort, (function()
        local many = {}
        for number = 1, 200 do
            many[number] = number % 7
        end
        return many
    end)(), function()
        return true
    end)
end)

check.case("goto, integer division, varargs, multiple assignment, closures", function()
    local sum = 0
    for number = 1, 10 do
        if number % 2 == 0 then
            goto continue
        end
        sum = sum + number
        ::continue::
    end
    check.equal(sum, 25)
    local function count(...)
        return select("#", ...), (select(-1, ...))
    end
    check.equal({ count(1, nil, 3) }, { 3, 3 })
    local functions = {}
    for index = 1, 3 do
        functions[index] = function()
            index = index + 1
            return index
        end
    end
    check.equal({ functions[1](), functions[1](), functions[2]() }, { 2, 3, 3 })
end)

check.case("metatables", function()
    local object = setmetatable({}, {
        __index = function(_, key)
            return key .. "!"
        end,
        __len = function()
            return 7
        end,
        __eq = function()
            return true
        end,
        __lt = function()
            return true
        end,
        __concat = function(a, b)
            return tostring(a) .. "+" .. tostring(b)
        end,
        __tostring = function()
            return "object"
        end,
        __idiv = function()
            return "idiv"
        end,
        __band = function()
            return "band"
        end,
        __pairs = function()
            return function(_, key)
                if not key then
                    return 1, "one"
                end
            end
        end,
        __metatable = "locked",
    })
    check.equal({ object.x, #object, object .. "y", object // 1, object & 1 }, { "x!", 7, "object+y", "idiv", "band" })
    check.is_true(object < object)
    check.equal(getmetatable(object), "locked")
    check.raises("cannot change a protected metatable", setmetatable, object, {})
    for key, value in pairs(object) do
        check.equal({ key, value }, { 1, "one" })
    end
end)

check.case("deep recursion is an error that can be caught", function()
    local function deep(number)
        return 1 + deep(number + 1)
    end
    check.raises("stack overflow", deep, 1)
    check.raises("", string.match, "x", string.rep("(", 100000))
    check.equal(select("#", table.unpack({}, 1, 100)), 100)
    check.raises("too many results to unpack", table.unpack, {}, 1, 1e8)
end)

-- The last case: where it fails, nothing after it would work.
check.case("the methods of strings cannot be taken away", function()
    pcall(function()
        getmetatable("").__index = nil
    end)
    pcall(function()
        getmetatable("").__index = {}
    end)
    check.equal(("x"):upper(), "X")
end)

return { main = check.main }
