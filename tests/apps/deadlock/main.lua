local check = require("check")
local time = require("time")

-- The process fails, and its error has the word and every waiting line.
local function deadlocks(id, ...)
    local value, err = check.outcome(id)
    check.is_nil(value)
    check.contains(err, "deadlock: every coroutine waits")
    for _, line in ipairs({ ... }) do
        check.contains(err, id .. ":" .. line)
    end
end

check.case("a receive that nobody can answer", function()
    deadlocks("deadlock:alone", 2)
end)

check.case("every waiting coroutine is listed with its line", function()
    deadlocks("deadlock:several", 9, 12, 15)
end)

check.case("a select", function()
    deadlocks("deadlock:select_only", 20)
end)

check.case("a send into a full buffer", function()
    deadlocks("deadlock:sends", 26)
end)

check.case("pcall does not hide it", function()
    deadlocks("deadlock:in_pcall", 32)
end)

check.case("inside a user coroutine", function()
    deadlocks("deadlock:nested", 59)
end)

check.case("waiting for messages is no deadlock", function()
    local pid = check.watch("deadlock:inbox")
    time.sleep("10ms")
    process.send(pid, "topic", "woken")
    check.equal(check.event(process.event.EXIT, pid).result.value, "woken")
end)

check.case("waiting for time is no deadlock", function()
    check.equal((check.outcome("deadlock:waits_for_time")), "in time")
end)

check.case("a channel that another process holds is no deadlock", function()
    local channels = process.listen("channel")
    local pid = check.watch("deadlock:shared", process.pid())
    local ch = check.receive(channels)
    time.sleep("10ms")
    ch:send("woken")
    check.equal(check.event(process.event.EXIT, pid).result.value, "woken")
    process.unlisten(channels)
end)

return { main = check.main }
