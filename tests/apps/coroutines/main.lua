local check = require("check")
local time = require("time")

check.case("spawn passes arguments, gives a thread, and runs beside", function()
    local got = channel.new(1)
    local thread = coroutine.spawn(function(...)
        got:send({ ... })
    end, 1, "two", { 3 })
    check.equal(type(thread), "thread")
    check.equal(check.receive(got), { 1, "two", { 3 } })
end)

check.case("coroutines take turns in the order of their start", function()
    local order, done = {}, channel.new(3)
    for id = 1, 3 do
        coroutine.spawn(function()
            for turn = 1, 2 do
                table.insert(order, id .. "." .. turn)
                time.sleep("1ms")
            end
            done:send(true)
        end)
    end
    for _ = 1, 3 do
        check.receive(done)
    end
    check.equal({ order[1], order[2], order[3] }, { "1.1", "2.1", "3.1" })
    check.equal(#order, 6)
end)

check.case("blocking inside pcall", function()
    local ok, value = pcall(function()
        time.sleep("1ms")
        return "slept"
    end)
    check.is_true(ok)
    check.equal(value, "slept")
end)

check.case("an error after blocking inside pcall is caught", function()
    local ok, err = pcall(function()
        time.sleep("1ms")
        error("after")
    end)
    check.equal(ok, false)
    check.match(err, "^coroutines:main:%d+: after$")
end)

check.case("blocking deep inside nested pcalls", function()
    local function nest(depth)
        if depth == 0 then
            time.sleep("1ms")
            error("bottom", 0)
        end
        local ok, err = pcall(nest, depth - 1)
        check.equal(ok, false)
        time.sleep("1ms")
        error(err .. depth, 0)
    end
    local _, err = pcall(nest, 5)
    check.equal(err, "bottom12345")
end)

check.case("blocking inside xpcall, with a handler", function()
    local ok, text = xpcall(function()
        time.sleep("1ms")
        error("oops", 0)
    end, function(err)
        return "handled " .. err
    end)
    check.equal(ok, false)
    check.equal(text, "handled oops")
end)

check.case("blocking inside a user coroutine comes back to the same place", function()
    local inner = coroutine.create(function(a)
        time.sleep("1ms")
        local b = coroutine.yield(a + 1)
        time.sleep("1ms")
        local c = coroutine.yield(b + 1)
        time.sleep("1ms")
        return c + 1
    end)
    check.equal({ coroutine.resume(inner, 1) }, { true, 2 })
    check.equal(coroutine.status(inner), "suspended")
    check.equal({ coroutine.resume(inner, 10) }, { true, 11 })
    check.equal({ coroutine.resume(inner, 100) }, { true, 101 })
    check.equal(coroutine.status(inner), "dead")
    check.equal((coroutine.resume(inner)), false)
end)

check.case("blocking through coroutines in coroutines in pcalls", function()
    local function level(depth)
        if depth == 0 then
            time.sleep("1ms")
            return "deep"
        end
        local wrapped = coroutine.wrap(function()
            local ok, value = pcall(level, depth - 1)
            check.is_true(ok)
            coroutine.yield("first")
            time.sleep("1ms")
            return value .. depth
        end)
        check.equal(wrapped(), "first")
        return wrapped()
    end
    check.equal(level(4), "deep1234")
end)

check.case("an iterator may block", function()
    local function ticks(count)
        return coroutine.wrap(function()
            for number = 1, count do
                time.sleep("1ms")
                coroutine.yield(number)
            end
        end)
    end
    local sum = 0
    for number in ticks(5) do
        time.sleep("1ms")
        sum = sum + number
    end
    check.equal(sum, 15)
end)

check.case("an iterator function may block without a coroutine", function()
    local function next_value(limit, value)
        time.sleep("1ms")
        if value < limit then
            return value + 1
        end
    end
    local seen = {}
    for value in next_value, 3, 0 do
        table.insert(seen, value)
    end
    check.equal(seen, { 1, 2, 3 })
end)

check.case("blocking inside a metamethod", function()
    local object = setmetatable({}, {
        __index = function(_, key)
            time.sleep("1ms")
            return "value of " .. key
        end,
        __add = function(_, other)
            time.sleep("1ms")
            return other
        end,
        __call = function(_, ...)
            time.sleep("1ms")
            return ...
        end,
    })
    check.equal(object.name, "value of name")
    check.equal(object + 5, 5)
    check.equal({ object(1, 2) }, { 1, 2 })
end)

check.case("blocking where Lua itself calls from C is an error, not the end", function()
    local ok, err = pcall(table.sort, { 3, 1, 2 }, function(a, b)
        time.sleep("1ms")
        return a < b
    end)
    if not ok then
        check.match(err, "yield")
    end
    check.is_true((pcall(time.sleep, "1ms")))
end)

check.case("while one waits the others run", function()
    local go, log = channel.new(), {}
    coroutine.spawn(function()
        table.insert(log, "waits")
        go:receive()
        table.insert(log, "goes")
    end)
    time.sleep("1ms")
    table.insert(log, "main")
    go:send(true)
    time.sleep("1ms")
    check.equal(log, { "waits", "main", "goes" })
end)

check.case("status, running, isyieldable, wrap and yield as in Lua", function()
    local co
    co = coroutine.create(function()
        check.equal(coroutine.status(co), "running")
        check.is_true(coroutine.running() == co)
        check.is_true(coroutine.isyieldable())
        coroutine.yield(1, 2)
        error("inside", 0)
    end)
    check.equal({ coroutine.resume(co) }, { true, 1, 2 })
    check.equal({ coroutine.resume(co) }, { false, "inside" })
    check.equal(coroutine.status(co), "dead")
    check.raises("cannot resume dead coroutine", coroutine.wrap(function() end) and (function()
        local wrapped = coroutine.wrap(function() end)
        wrapped()
        wrapped()
    end))
end)

check.case("a coroutine cannot resume itself or one that runs", function()
    local co
    co = coroutine.create(function()
        return coroutine.resume(co)
    end)
    local _, ok, err = coroutine.resume(co)
    check.equal(ok, false)
    check.contains(err, "cannot resume non-suspended coroutine")
end)

check.case("a spawned coroutine that waits is not for others to resume", function()
    local ch = channel.new()
    local thread = coroutine.spawn(function()
        return ch:receive()
    end)
    time.sleep("1ms")
    pcall(coroutine.resume, thread) -- whatever it does, the scheduler stays sound
    ch:close()
    time.sleep("1ms")
end)

check.case("a thousand coroutines sleep at once", function()
    local done = channel.new(1000)
    local before = time.now()
    for _ = 1, 1000 do
        coroutine.spawn(function()
            time.sleep("20ms")
            done:send(true)
        end)
    end
    for _ = 1, 1000 do
        check.receive(done)
    end
    check.is_true(time.now():sub(before):seconds() < 10)
end)

check.case("a coroutine that does not block may be started from another one", function()
    local got = channel.new(3)
    coroutine.spawn(function()
        coroutine.spawn(function()
            coroutine.spawn(function()
                got:send("inner")
            end)
            got:send("middle")
        end)
        got:send("outer")
    end)
    local seen = {}
    for _ = 1, 3 do
        seen[check.receive(got)] = true
    end
    check.equal(seen, { inner = true, middle = true, outer = true })
end)

check.case("wrong arguments raise", function()
    check.raises("", coroutine.spawn)
    check.raises("", coroutine.spawn, 1)
    check.raises("", coroutine.create, {})
end)

return { main = check.main }
