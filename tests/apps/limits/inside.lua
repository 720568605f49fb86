local time = require("time")

local kept = {}

-- Repeats an act until it fails; gives how often it went well, and how it failed.
local function until_it_fails(most, act)
    for count = 1, most do
        local ok, err = act(count)
        if not ok then
            return { count = count - 1, kind = err:kind(), retryable = err:retryable(), details = err:details() }
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

return {
    names = names, timers = timers, channels = channels, shared_channels = shared_channels, coroutines = coroutines,
    message_size = message_size, mailbox = mailbox, pending = pending, own = own,
}
