local check = require("check")
local expr = require("expr")

check.case("expressions have values", function()
    check.equal(expr.eval("1 + 2 * 3"), 7)
    check.is_true(math.abs(expr.eval("price * quantity", { price = 29.99, quantity = 3 }) - 89.97) < 1e-9)
    check.equal(expr.eval("age >= 18", { age = 21 }), true)
    check.equal(expr.eval('name + " is " + status', { name = "Alice", status = "online" }), "Alice is online")
    check.equal(expr.eval('score > 90 ? "A" : score > 80 ? "B" : "C"', { score = 85 }), "B")
    check.equal(expr.eval('"admin" in roles', { roles = { "user", "admin" } }), true)
end)

check.case("builtin functions", function()
    check.equal(expr.eval("max(1, 5, 3)"), 5)
    check.equal(expr.eval("min(10, 2, 8)"), 2)
    check.equal(expr.eval("abs(-42)"), 42)
    check.equal(expr.eval("ceil(3.2)"), 4)
    check.equal(expr.eval("floor(3.8)"), 3)
    check.equal(expr.eval('len("hello")'), 5)
    check.equal(expr.eval('upper("hello")'), "HELLO")
    check.equal(expr.eval('trim("  hi  ")'), "hi")
    check.equal(expr.eval('"hello" contains "ell"'), true)
    check.equal(expr.eval("len(items)", { items = { 1, 2, 3 } }), 3)
    check.equal(expr.eval("sum(values)", { values = { 1, 2, 3, 4 } }), 10)
    check.equal(expr.eval("filter(l, # > 1)", { l = { 1, 2, 3 } }), { 2, 3 })
    check.equal(expr.eval("map(users, .name)", { users = { { name = "a" }, { name = "b" } } }), { "a", "b" })
    check.equal(expr.eval("{a: 1, b: [2]}"), { a = 1, b = { 2 } })
end)

check.case("dates and durations", function()
    check.equal(expr.eval('date("2023-08-14").Year()'), 2023)
    check.equal(expr.eval('duration("1h").Seconds() == 3600'), true)
    check.equal(expr.eval("date(created) + duration('36h')", { created = "2024-02-28 12:00:00" }), "2024-03-01T00:00:00Z")
    check.equal(expr.eval("date('2024-03-01') - date('2024-02-28')"), 2 * 24 * 3600 * 1000000000)
    check.equal(expr.eval("date(at).In(timezone('Europe/Berlin')).Format('15:04')", { at = "2024-07-01T12:00:00Z" }), "14:00")
    local before = os.time()
    local now = expr.eval("now().Unix()")
    check.is_true(before <= now and now <= os.time())
    local recent = expr.compile("now() - date(created) < duration('24h')")
    check.equal(recent:run({ created = os.date("!%Y-%m-%dT%H:%M:%SZ") }), true)
    check.equal(recent:run({ created = "2001-01-01" }), false)
    check.fails(errors.INTERNAL, expr.eval("date('someday')"))
end)

check.case("a program runs with many environments", function()
    local program = expr.compile("price * (1 - discount)")
    check.equal(program:run({ price = 100, discount = 0.5 }), 50.0)
    check.equal(program:run({ price = 50, discount = 0.5 }), 25.0)
    local valid = expr.compile("len(password) >= 8 and len(password) <= 128")
    check.equal(valid:run({ password = "short" }), false)
    check.equal(valid:run({ password = "securepass123" }), true)
    check.fails(errors.INTERNAL, program:run({ price = "x", discount = 1 }))
    check.is_nil(expr.eval("nil"))
end)

check.case("what an expression cannot look at is left out of its environment", function()
    local node = setmetatable({ id = 7, no = false, wait = channel.new(), run = print, err = errors.new("gone") }, { __index = {} })
    node.self = node
    check.equal((expr.eval("node.id + 1", { node = node })), 8)
    check.equal((expr.eval("node.wait == nil && node.run == nil && node.no == false && node.err == 'gone'", { node = node })), true)
    check.equal((assert(expr.compile("node.id")):run({ node = node })), 7)
end)

check.case("mistakes are errors", function()
    check.fails(errors.INVALID, expr.eval(""))
    check.fails(errors.INVALID, expr.compile("  "))
    check.fails(errors.INTERNAL, expr.eval("1 +"))
    check.fails(errors.INTERNAL, expr.compile("unknown(1)"))
    check.fails(errors.INTERNAL, expr.compile("a + c", { a = 1 }))
    check.fails(errors.INTERNAL, expr.eval("1 + 'a'"))
    check.fails(errors.INTERNAL, expr.eval("[1][7]"))
    check.raises("string expected", expr.eval, {})
    check.raises("table expected", expr.eval, "1", "x")
end)

check.case("hostile expressions end", function()
    for _, source in ipairs({
        "1..1000000000",
        "map(1..10000, map(1..10000, #))",
        "reduce(1..60, [#acc, #acc])",
        "repeat('x', 100000000)",
        ("("):rep(8000) .. "1" .. (")"):rep(8000),
    }) do
        local value, err = expr.eval(source)
        check.is_nil(value)
        check.is_true(err ~= nil, source:sub(1, 20))
    end
end)

check.case("however deep an expression is, the node stands", function()
    check.equal(expr.eval("(1" .. ("+1"):rep(120) .. ")" .. ("+1"):rep(120)), 241)
    local tower = "1"
    for _ = 1, 20 do
        tower = "(" .. tower .. ("+1"):rep(70) .. ")"
    end
    local err = check.fails(errors.INTERNAL, expr.eval(tower))
    check.contains(err:message(), "stand within each other")
    check.fails(errors.INTERNAL, expr.compile(tower, { a = 1 }))
end)

return { main = check.main }
