local ctx = require("ctx")
local funcs = require("funcs")
local check = require("check")

check.case("a process without context has none", function()
    check.equal({ ctx.all() }, { {} })
    check.contains(check.fails("NotFound", ctx.get("request_id")), "request_id")
    check.fails("Invalid", ctx.get(""))
    check.raises("string expected", ctx.get, nil)
end)

check.case("a call has the context that it was given", function()
    local values = { request_id = "r1", flags = { dark = true, sizes = { 1, 2 } }, count = 3 }
    check.equal(funcs.new():with_context(values):call("ctx:tell"), values)
    check.equal(funcs.call("ctx:tell"), {})
end)

check.case("calls of calls inherit it, and lay their own over it", function()
    local base = funcs.new():with_context({ a = 1, b = 1 })
    check.equal(base:call("ctx:pass", "b", 2), { a = 1, b = 2 })
    check.equal(base:call("ctx:pass", "c", 3), { a = 1, b = 1, c = 3 })
    check.equal(base:with_context({ a = 9 }):call("ctx:tell"), { a = 9, b = 1 })
    check.equal(base:call("ctx:tell"), { a = 1, b = 1 })
end)

check.case("a process has the context of its spawner", function()
    local spawner = process.with_context({ tenant = "t1" })
    check.equal(spawner:exec("ctx:process", "lib:processes"), { tenant = "t1" })
    check.equal(spawner:with_context({ more = true }):exec("ctx:process", "lib:processes"), { tenant = "t1", more = true })
    check.equal(process.exec("ctx:process", "lib:processes"), {})
end)

check.case("what cannot be a context is refused", function()
    check.raises("table expected", process.with_context, "x")
    check.fails("Invalid", funcs.new():with_context({ f = print }):call("ctx:tell"))
end)

return { main = check.main }
