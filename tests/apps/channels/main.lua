local check = require("check")
local time = require("time")

check.case("an unbuffered send waits for the receiver", function()
    local ch, order = channel.new(), {}
    coroutine.spawn(function()
        table.insert(order, "send")
        check.is_true(ch:send("value"))
        table.insert(order, "sent")
    end)
    time.sleep("1ms")
    check.equal(order, { "send" })
    local value, ok = ch:receive()
    check.equal(value, "value")
    check.is_true(ok)
    time.sleep("1ms")
    check.equal(order, { "send", "sent" })
end)

check.case("a buffered send waits only when the buffer is full", function()
    local ch, sent = channel.new(2), 0
    coroutine.spawn(function()
        for number = 1, 3 do
            ch:send(number)
            sent = sent + 1
        end
    end)
    time.sleep("1ms")
    check.equal(sent, 2)
    check.equal({ ch:receive(), ch:receive(), (ch:receive()) }, { 1, 2, 3 })
end)

check.case("values keep their order and identity", function()
    local ch, table_value = channel.new(3), {}
    ch:send(nil)
    ch:send(table_value)
    ch:send(false)
    local value, ok = ch:receive()
    check.is_nil(value)
    check.is_true(ok)
    check.is_true(rawequal(ch:receive(), table_value))
    check.equal(ch:receive(), false)
end)

check.case("functions and coroutines pass inside a process", function()
    local ch = channel.new(1)
    ch:send(function()
        return "called"
    end)
    check.equal(ch:receive()(), "called")
end)

check.case("receive drains a closed channel, then gives nil and false", function()
    local ch = channel.new(3)
    ch:send(1)
    ch:send(2)
    ch:close()
    check.equal({ ch:receive() }, { 1, true })
    check.equal({ ch:receive() }, { 2, true })
    for _ = 1, 2 do
        local value, ok = ch:receive()
        check.is_nil(value)
        check.equal(ok, false)
    end
end)

check.case("closing twice is fine", function()
    local ch = channel.new()
    ch:close()
    ch:close()
end)

check.case("send on a closed channel raises", function()
    local ch = channel.new(1)
    ch:close()
    check.raises("send on closed channel", ch.send, ch, 1)
end)

check.case("a sender that waits when the channel closes gets the error", function()
    local ch, result = channel.new(), channel.new(1)
    coroutine.spawn(function()
        result:send({ pcall(ch.send, ch, 1) })
    end)
    time.sleep("1ms")
    ch:close()
    local got = result:receive()
    check.equal(got[1], false)
    check.contains(got[2], "send on closed channel")
end)

check.case("receivers that wait when the channel closes get nil and false", function()
    local ch, results = channel.new(), channel.new(3)
    for _ = 1, 3 do
        coroutine.spawn(function()
            local value, ok = ch:receive()
            results:send({ nothing = value == nil, ok = ok })
        end)
    end
    time.sleep("1ms")
    ch:close()
    for _ = 1, 3 do
        check.equal(results:receive(), { nothing = true, ok = false })
    end
end)

check.case("waiting receivers are served in order", function()
    local ch, results = channel.new(), channel.new(10)
    for id = 1, 3 do
        coroutine.spawn(function()
            results:send({ id, (ch:receive()) })
        end)
    end
    time.sleep("1ms")
    for number = 1, 3 do
        ch:send(number)
    end
    check.equal({ results:receive(), results:receive(), (results:receive()) }, { { 1, 1 }, { 2, 2 }, { 3, 3 } })
end)

check.case("select takes the first ready case in table order", function()
    local a, b = channel.new(1), channel.new(1)
    b:send("b")
    local ready = channel.select({ a:case_receive(), b:case_receive() })
    check.is_true(rawequal(ready.channel, b))
    check.equal(ready.value, "b")
    check.is_true(ready.ok)
    a:send("a")
    b:send("b")
    check.equal(channel.select({ a:case_receive(), b:case_receive() }).value, "a")
    check.equal(channel.select({ b:case_receive(), a:case_receive() }).value, "b")
end)

check.case("select waits until a case is ready, and takes only that one", function()
    local a, b = channel.new(), channel.new()
    coroutine.spawn(function()
        time.sleep("1ms")
        b:send(2)
    end)
    local ready = channel.select({ a:case_receive(), b:case_receive() })
    check.is_true(ready.channel == b)
    check.equal(ready.value, 2)
    -- The receive on `a` is withdrawn: a later send finds nobody.
    check.is_true(channel.select({ a:case_send(1), default = true }).default)
end)

check.case("select sends", function()
    local ch, got = channel.new(), channel.new(1)
    coroutine.spawn(function()
        got:send((ch:receive()))
    end)
    local ready = channel.select({ ch:case_send("out") })
    check.is_true(ready.channel == ch)
    check.is_true(ready.ok)
    check.equal(got:receive(), "out")
    local buffered = channel.new(1)
    check.is_true(channel.select({ buffered:case_send(5) }).channel == buffered)
    check.equal(buffered:receive(), 5)
end)

check.case("default is taken when nothing is ready", function()
    local ch = channel.new()
    check.equal(channel.select({ ch:case_receive(), default = true }), { default = true, ok = true })
    local full = channel.new(1)
    full:send(1)
    check.is_true(channel.select({ full:case_send(2), default = true }).default)
    check.is_nil(channel.select({ full:case_receive(), default = true }).default)
end)

check.case("a closed channel is ready to receive, with ok false", function()
    local open, closed = channel.new(), channel.new()
    closed:close()
    local ready = channel.select({ open:case_receive(), closed:case_receive() })
    check.is_true(ready.channel == closed)
    check.is_nil(ready.value)
    check.equal(ready.ok, false)
end)

check.case("select to send on a closed channel raises", function()
    local ch = channel.new()
    ch:close()
    check.raises("send on closed channel", channel.select, { ch:case_send(1) })
end)

check.case("anything else in the list raises", function()
    check.raises("", channel.select, { 1 })
    check.raises("", channel.select, { channel.new() })
    check.raises("", channel.select, "no table")
    check.raises("", channel.select)
end)

check.case("a select without cases is an error, with default the default", function()
    check.raises("", channel.select, {})
    check.is_true(channel.select({ default = true }).default)
end)

check.case("the same channel may stand in several cases", function()
    local ch = channel.new(1)
    ch:send("x")
    check.equal(channel.select({ ch:case_receive(), ch:case_receive() }).value, "x")
end)

check.case("one value goes to one receiver only", function()
    local ch, results = channel.new(), channel.new(100)
    for _ = 1, 10 do
        coroutine.spawn(function()
            while true do
                local value, ok = ch:receive()
                if not ok then
                    return
                end
                results:send(value)
            end
        end)
    end
    for number = 1, 100 do
        ch:send(number)
    end
    ch:close()
    local sum = 0
    for _ = 1, 100 do
        sum = sum + results:receive()
    end
    check.equal(sum, 5050)
    check.empty(results)
end)

check.case("a long chain of coroutines hands a value on", function()
    local first = channel.new()
    local last = first
    for _ = 1, 200 do
        local from, to = last, channel.new()
        coroutine.spawn(function()
            to:send(from:receive() + 1)
        end)
        last = to
    end
    first:send(0)
    check.equal(last:receive(), 200)
end)

check.case("whether a select waits may be its second argument", function()
    local ch = channel.new(1)
    check.equal(channel.select({ ch:case_receive() }, true), { default = true, ok = true })
    ch:send(7)
    check.equal(channel.select({ ch:case_receive() }, true).value, 7)
    check.equal(channel.select({}, true).default, true)
end)

check.case("wrong arguments", function()
    check.fails(errors.INVALID, channel.new(-1))
    check.raises("", channel.new, "x")
    check.raises("", channel.new, 1.5)
    check.raises("", channel.new().send)
end)

check.case("a channel prints as one and is equal to itself only", function()
    local a, b = channel.new(), channel.new()
    check.contains(tostring(a):lower(), "channel")
    check.equal(type(a), "userdata")
    check.is_true(a == a and a ~= b)
    check.is_true(({ [a] = 1 })[a] == 1)
end)

return { main = check.main }
