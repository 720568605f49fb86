local check = require("check")

-- Far above any sensible default.
local MANY = 2000000

local drained = process.listen("drained")

-- Sends until the mailbox is full. Gives the number of messages that were taken, and the error.
local function fill(pid, value)
    for number = 1, MANY do
        local ok, err = process.send(pid, "value", value and { number, value } or number)
        if not ok then
            return number - 1, err
        end
    end
    error("the mailbox takes everything", 0)
end

check.case("a full mailbox is RateLimited, retryable, and loses nothing that was taken", function()
    local go = channel.new()
    local pid = check.watch("mailbox:stuck", go, process.pid())
    local count, err = fill(pid)
    check.is_true(count > 0)
    check.equal(err:kind(), errors.RATE_LIMITED)
    check.equal(err:retryable(), true)
    check.contains(err:message(), "mailbox")

    go:send(count)
    check.is_true(check.receive(drained))
    -- There is room again.
    check.is_true(process.send(pid, "value", 1))
    go:send(1)
    check.is_true(check.receive(drained))
    go:close()
    check.event(process.event.EXIT, pid)
end)

check.case("large messages fill it sooner", function()
    local go = channel.new()
    local pid = check.watch("mailbox:stuck", go, process.pid())
    local count, err = fill(pid, string.rep("x", 60000))
    check.equal(err:kind(), errors.RATE_LIMITED)
    go:send(count)
    check.is_true(check.receive(drained))
    go:close()
    check.event(process.event.EXIT, pid)
end)

check.case("one full mailbox does not matter to another process", function()
    local go, other_go = channel.new(), channel.new()
    local full = check.watch("mailbox:stuck", go, process.pid())
    local other = check.watch("mailbox:stuck", other_go, process.pid())
    fill(full)
    check.is_true(process.send(other, "value", 1))
    other_go:send(1)
    check.is_true(check.receive(drained))
    process.terminate(full)
    check.event(process.event.EXIT, full)
    process.terminate(other)
    check.event(process.event.EXIT, other)
end)

check.case("a sender that retries loses nothing, however fast it is", function()
    local flood = process.listen("flood")
    local pid = check.watch("mailbox:floods", process.pid(), 30000)
    for number = 1, 30000 do
        check.equal(check.receive(flood), number)
    end
    check.is_nil(check.event(process.event.EXIT, pid).result.error)
    process.unlisten(flood)
end)

check.case("a large message arrives whole", function()
    local ch = process.listen("size")
    check.is_true(process.send(process.pid(), "size", string.rep("x", 100000)))
    check.equal(#check.receive(ch), 100000)
    check.empty(ch)
    process.unlisten(ch)
end)

check.case("subscribe takes a channel that the program made", function()
    local ch = channel.new(1)
    check.is_true(rawequal(subscribe("own", ch), ch))
    for number = 1, 3 do
        process.send(process.pid(), "own", number)
    end
    for number = 1, 3 do
        check.equal((check.receive(ch)), number)
    end
    check.is_true(rawequal(process.listen("own"), ch))
    check.fails(errors.ALREADY_EXISTS, subscribe("own", channel.new()))
    local used = channel.new(1)
    used:send(1)
    check.fails(errors.INVALID, subscribe("used", used))
    check.equal(unsubscribe(ch), true)
    check.equal({ ch:receive() }, { nil, false })
end)

check.case("subscribe and unsubscribe are listen and unlisten", function()
    local ch = subscribe("older")
    check.is_true(ch == process.listen("older"))
    process.send(process.pid(), "older", 1)
    check.equal(check.receive(ch), 1)
    check.equal(unsubscribe(ch), true)
end)

return { main = check.main }
