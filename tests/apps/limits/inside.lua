local time = require("time")

local kept = {}

-- Repeats an act until it fails; gives how often it went well, and how it failed.
local function until_it_fails(most, act)
    for count = 1, most do
        local ok, err = act(count)
        if not ok then
            local hits = process.stats().limit_hits
            return { count = count - 1, kind = err:kind(), retryable = err:retryable(), details = err:details(), hits = hits }
        end
        kept[#kept + 1] = ok
    end
    return { count = most }
end

local function names()
    return until_it_fails(100, function(count)
        return process.registry.register("limits.name." .. count)
    end)
end

local function timers()
    local got = until_it_fails(100, function()
        return time.timer("1h")
    end)
    -- One that stopped makes room for another one.
    kept[1]:stop()
    got.again = time.timer("1h") ~= nil
    return got
end

local function channels()
    local large, err = channel.new(9)
    local got = until_it_fails(100, function()
        return channel.new(8)
    end)
    got.large = { kind = err:kind(), details = err:details() }
    return got
end

-- Channels that another process could hold belong to the host.
local function shared_channels()
    return until_it_fails(100, function()
        local ch, err = channel.new()
        if not ch then
            return nil, err
        end
        kept[#kept + 1] = ch
        return process.send(process.pid(), "channel", ch)
    end)
end

local function coroutines()
    return until_it_fails(100, function()
        local ok, err = pcall(coroutine.spawn, function()
            channel.new():receive()
        end)
        return ok, err
    end)
end

local function message_size()
    local _, size = process.send(process.pid(), "topic", string.rep("x", 2000))
    local _, depth = process.send(process.pid(), "topic", { { { { { { 1 } } } } } })
    local ok = process.send(process.pid(), "topic", string.rep("x", 500))
    return { size = { kind = size:kind(), details = size:details() }, depth = { kind = depth:kind(), details = depth:details() }, ok = ok }
end

local function mailbox()
    return until_it_fails(100, function(count)
        return process.send(process.pid(), "topic", count)
    end)
end

-- One coroutine more than the process may have operations that wait.
local function pending()
    local results = channel.new(5)
    for _ = 1, 5 do
        coroutine.spawn(function()
            local _, err = time.sleep("1h")
            results:send(err)
        end)
    end
    local err = results:receive()
    return { kind = err:kind(), details = err:details() }
end

local function own()
    process.registry.register("limits.own")
    process.send(process.pid(), "kept", 1)
    local ticker = time.ticker("1h")
    local limits = process.limits()
    local stats = process.stats()
    ticker:stop()
    return { limits = limits, stats = stats, pid = process.pid() }
end

-- Asks to be told before a limit is reached, and gives what it was told.
local function warned()
    local events = process.events()
    assert(process.set_options({ limit_warnings = true }))
    for number = 1, 9 do
        assert(process.send(process.pid(), "kept", number))
    end
    local mailbox = events:receive()
    local list, memory = {}, nil
    repeat
        list[#list + 1] = string.rep("x", 1000000) .. #list
        local ready = channel.select({ events:case_receive(), time.after("1ms"):case_receive() })
        memory = ready.channel == events and ready.value
    until memory
    return { kind = process.event.LIMIT, mailbox = mailbox, memory = memory, taken = #list }
end

-- Tells whether it was told something, though it did not ask.
local function unwarned()
    local events, last = process.events(), process.listen("last")
    for number = 1, 9 do
        assert(process.send(process.pid(), "kept", number))
    end
    assert(process.send(process.pid(), "last"))
    last:receive()
    return channel.select({ events:case_receive(), default = true }).default
end

return {
    names = names, timers = timers, channels = channels, shared_channels = shared_channels, coroutines = coroutines,
    message_size = message_size, mailbox = mailbox, pending = pending, own = own, warned = warned, unwarned = unwarned,
}
