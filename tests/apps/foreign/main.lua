local check = require("check")
local funcs = require("funcs")

check.case("text of a module is a function", function()
    check.equal(funcs.call("foreign:answer"), 42)
end)

check.case("without types, numbers are the types", function()
    check.equal(funcs.call("foreign:untyped_sum", 2, 40), 42)
    check.equal(math.type(funcs.call("foreign:untyped_sum", 1 << 40, 1)), "integer")
end)

check.case("strings cross both ways", function()
    check.equal(funcs.call("foreign:greet", "World"), "Hello, World")
    check.equal(funcs.call("foreign:greet", "Wörld"), "Hello, Wörld")
end)

check.case("records are tables, lists are arrays, options may be nil", function()
    local people = { { first_name = "Ada", age = 36 }, { first_name = "Alan", age = 41 } }
    check.equal(funcs.call("foreign:oldest", people), 41)
    local none, err = funcs.call("foreign:oldest", {})
    check.equal(none, nil)
    check.equal(err, nil)
end)

check.case("a failed result is an error", function()
    check.equal(funcs.call("foreign:half", 84), 42)
    local value, err = funcs.call("foreign:half", 7)
    check.equal(value, nil)
    check.equal(err:message(), "odd")
end)

check.case("values of other types are refused with the place", function()
    local _, err = funcs.call("foreign:oldest", { { first_name = "Ada", age = 300 } })
    check.equal(err:kind(), errors.INVALID)
    check.contains(err:message(), "`people`")
    check.contains(err:message(), "[1]: `age`")
    local _, count = funcs.call("foreign:greet")
    check.contains(count:message(), "takes 1 arguments, and was given 0")
end)

check.case("an endless loop ends with its time", function()
    local _, err = funcs.call("foreign:forever")
    check.equal(err:kind(), errors.LIMIT_EXCEEDED)
end)

check.case("a trap is an error", function()
    local _, err = funcs.call("foreign:trap")
    check.equal(err:kind(), errors.INTERNAL)
    check.contains(err:message(), "unreachable")
end)

check.case("what cannot run says why", function()
    local _, missing = funcs.call("foreign:missing")
    check.contains(missing:message(), "exports no function `missing`; it exports `there`")
    local _, broken = funcs.call("foreign:broken")
    check.contains(broken:message(), "not WebAssembly")
end)

return { main = check.main }
