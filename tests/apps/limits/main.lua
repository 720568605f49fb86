local check = require("check")

local neighbour = check.spawn("limits:neighbour")
local asked = 0

-- Somebody else works, whatever one process does.
local function neighbour_works()
    asked = asked + 1
    check.is_true(process.send(neighbour, "echo", asked))
    check.equal(check.receive(process.listen("echo")), asked)
end

-- Runs an entry that hits a limit and gives what it got; the error has the limit in its details.
local function hits(id, limit, allowed)
    local got, err = check.outcome(id)
    check.is_nil(err)
    check.equal(got.kind, "LimitExceeded")
    check.equal(got.details.limit, limit)
    check.equal(got.details.allowed, allowed)
    check.is_true(got.details.used > allowed, "used")
    neighbour_works()
    return got
end

-- Runs an entry that a limit ends.
local function ends(id, limit)
    local value, err = check.outcome(id)
    check.is_nil(value)
    check.equal(err:kind(), "LimitExceeded")
    check.equal(err:details().limit, limit)
    neighbour_works()
    return err:details()
end

check.case("spawns_per_second", function()
    local got = hits("limits:spawns", "spawns_per_second", 5)
    check.is_true(got.retryable)
    check.is_true(got.count >= 5 and got.count < 100)
end)

check.case("spawns_per_second counts calls, too", function()
    hits("limits:calls_as_spawns", "spawns_per_second", 5)
end)

check.case("children", function()
    check.equal(hits("limits:children", "children", 3).count, 3)
end)

check.case("messages_per_second", function()
    local got = hits("limits:messages", "messages_per_second", 5)
    check.is_true(got.retryable)
    check.contains(got.text, "try again in")
end)

check.case("host_calls_per_second refuses", function()
    local got = hits("limits:host_calls", "host_calls_per_second", 50)
    check.is_true(got.retryable)
end)

check.case("host_calls_per_second ends whoever takes no notice", function()
    check.equal(ends("limits:host_calls_forever", "host_calls_per_second").allowed, 50)
end)

check.case("names", function()
    check.equal(hits("limits:names", "names", 3).count, 3)
end)

check.case("timers", function()
    local got = hits("limits:timers", "timers", 3)
    check.equal(got.count, 3)
    check.is_true(got.again)
    check.is_true(got.hits > 0)
end)

check.case("channels and channel_buffer", function()
    local got = hits("limits:channels", "channels", 20)
    check.equal(got.large, { kind = "LimitExceeded", details = { limit = "channel_buffer", allowed = 8, used = 9 } })
end)

check.case("channels between processes", function()
    hits("limits:shared_channels", "channels", 20)
end)

check.case("coroutines", function()
    -- What the guest refuses is counted, too.
    check.is_true(hits("limits:coroutines", "coroutines", 4).hits > 0)
end)

check.case("pending_calls", function()
    hits("limits:pending_calls", "pending_calls", 4)
end)

check.case("handles", function()
    hits("limits:handles", "handles", 3)
end)

check.case("a handle that comes when nobody waits for it any more takes no place", function()
    check.is_true(check.outcome("limits:late_handles"))
end)

check.case("message_size and message_depth", function()
    local got = check.outcome("limits:message_size")
    check.equal(got.size.kind, "LimitExceeded")
    check.equal(got.size.details.limit, "message_size")
    check.equal(got.depth.kind, "LimitExceeded")
    check.equal(got.depth.details.limit, "message_depth")
    check.is_true(got.ok)
end)

check.case("mailbox_messages asks the sender to try again", function()
    local got = check.outcome("limits:mailbox")
    got.hits = nil
    check.equal(got, {
        count = 10, kind = "RateLimited", retryable = true, details = { limit = "mailbox_messages", allowed = 10, used = 11 },
    })
    neighbour_works()
end)

check.case("who asks is told before a limit is reached", function()
    local got = check.outcome("limits:warned")
    check.equal(got.kind, "pid.limit")
    check.equal(type(got.mailbox.at), "number")
    got.mailbox.at = nil
    check.equal(got.mailbox, { kind = "pid.limit", limit = "mailbox_messages", allowed = 10, used = 9 })
    check.equal({ got.memory.kind, got.memory.limit, got.memory.allowed }, { "pid.limit", "memory", 16777216 })
    check.is_true(got.memory.used > 12000000 and got.memory.used < 20000000, got.memory.used)
    check.is_true(check.outcome("limits:unwarned"))
end)

check.case("memory", function()
    ends("limits:memory", "memory")
end)

check.case("cpu_per_turn and cpu_total", function()
    local turn = ends("limits:cpu_per_turn", "cpu_per_turn")
    check.equal(turn.allowed, 20000000)
    ends("limits:cpu_total", "cpu_total")
end)

check.case("wall_time", function()
    ends("limits:wall_time", "wall_time")
end)

check.case("quota.processes", function()
    local pids = {}
    for index = 1, 3 do
        pids[index] = process.spawn_monitored("limits:sleeper", "limits:few")
        check.equal(type(pids[index]), "string")
    end
    local err = check.fails("LimitExceeded", process.spawn("limits:sleeper", "limits:few"))
    check.equal(err:details(), { limit = "quota.processes", allowed = 3, used = 4 })
    neighbour_works()
    process.send(pids[1], "stop")
    check.event(process.event.EXIT, pids[1])
    -- There is room again.
    pids[1] = process.spawn_monitored("limits:sleeper", "limits:few")
    for _, pid in ipairs(pids) do
        process.send(pid, "stop")
        check.event(process.event.EXIT, pid)
    end
end)

check.case("quota.memory", function()
    local hoarders = {}
    for index = 1, 12 do
        hoarders[index] = process.spawn_monitored("limits:sleeper", "limits:tight", 2000000)
    end
    local refused = 0
    for index = 1, 12 do
        local pid = hoarders[index]
        if pid then
            process.send(pid, "stop")
            local err = check.event(process.event.EXIT, pid).result.error
            if err then
                check.equal(err:kind(), "LimitExceeded")
                check.equal(err:details().limit, "quota.memory")
                refused = refused + 1
            end
        else
            refused = refused + 1
        end
    end
    check.is_true(refused > 0 and refused < 12, refused .. " of 12 refused")
    -- Alone, a process reaches its own limit first, with others that of all.
    local pids = {}
    for index = 1, 5 do
        pids[index] = process.spawn_monitored("limits:hoard", "limits:tight")
    end
    local limits = {}
    for _, pid in ipairs(pids) do
        local err = check.event(process.event.EXIT, pid).result.error
        check.equal(err:kind(), "LimitExceeded")
        limits[err:details().limit] = true
    end
    check.is_true(limits.memory or limits["quota.memory"])
    neighbour_works()
    -- What they had is free again.
    local pid = process.spawn_monitored("limits:sleeper", "limits:tight", 1000)
    process.send(pid, "stop")
    check.equal(check.event(process.event.EXIT, pid).result.value, 1000)
end)

check.case("quota.messages_per_second", function()
    local pids = {}
    for index = 1, 2 do
        pids[index] = process.spawn_monitored("limits:sender", "limits:slow", neighbour, "x")
    end
    local sent = 0
    for _, pid in ipairs(pids) do
        local result = check.event(process.event.EXIT, pid).result.value
        check.equal(result.details.limit, "quota.messages_per_second")
        check.equal(result.kind, "LimitExceeded")
        sent = sent + result.count
    end
    check.is_true(sent >= 10 and sent < 100, sent .. " sent")
    neighbour_works()
end)

check.case("quota.mailbox_bytes", function()
    local one = process.spawn_monitored("limits:sleeper", "limits:small_mailboxes")
    local two = process.spawn_monitored("limits:sleeper", "limits:small_mailboxes")
    local text = string.rep("x", 10000)
    local count = 0
    local limit
    while not limit do
        local ok, err = process.send(count % 2 == 0 and one or two, "flood", text)
        if ok then
            count = count + 1
        else
            check.equal(err:kind(), "RateLimited")
            limit = err:details().limit
        end
    end
    check.equal(limit, "quota.mailbox_bytes")
    check.equal(count, 6)
    neighbour_works()
    process.terminate(one)
    check.event(process.event.EXIT, one)
    -- What the ended process left makes room.
    check.is_true(process.send(two, "flood", text))
    process.terminate(two)
    check.event(process.event.EXIT, two)
end)

check.case("a process knows its limits and what it uses", function()
    local got, err = check.outcome("limits:own")
    check.is_nil(err)
    local limits, stats = got.limits, got.stats
    check.equal(limits.memory.limit, 8 * 1024 * 1024)
    check.is_true(limits.memory.used > 1000)
    check.equal(limits.mailbox_messages, { limit = 50, used = 1 })
    check.equal(limits.names, { limit = 7, used = 1 })
    check.equal(limits.timers.used, 1)
    check.equal(limits.cpu_total.limit, 10000000000)
    check.is_nil(limits.wall_time.limit)
    check.equal(stats.pid, got.pid)
    check.equal(stats.entry, "limits:own")
    check.equal(stats.sent, 1)
    check.equal(stats.received, 1)
    check.equal(stats.mailbox_messages, 1)
    check.is_true(stats.memory > 100000 and stats.memory_peak >= stats.memory)
end)

check.case("a process is told about others", function()
    local stats = process.stats(neighbour)
    check.equal(stats.entry, "limits:neighbour")
    check.equal(stats.host, "lib:processes")
    check.is_true(stats.received >= asked and stats.sent >= asked)
    check.fails("NotFound", process.stats("limits.nobody"))
end)

return { main = check.main }
