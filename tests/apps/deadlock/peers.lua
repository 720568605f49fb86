local function alone()
    channel.new():receive() -- line 2
end

local function several()
    local ch = channel.new()
    coroutine.spawn(function()
        ch:send(1) -- line 8: taken below
        channel.new():send(2) -- line 9
    end)
    coroutine.spawn(function()
        channel.new():receive() -- line 12
    end)
    ch:receive()
    ch:receive() -- line 15
end

local function select_only()
    local a, b = channel.new(), channel.new()
    channel.select({ a:case_receive(), b:case_send(1) }) -- line 20
end

local function sends()
    local ch = channel.new(1)
    ch:send(1)
    ch:send(2) -- line 26
end

-- What nobody can ever wake is no error that code could handle.
local function in_pcall()
    pcall(function()
        channel.new():receive() -- line 32
    end)
    return "went on"
end

local function inbox()
    return process.inbox():receive():payload():data()
end

local function waits_for_time()
    local ch = channel.new()
    coroutine.spawn(function()
        time.sleep("5ms")
        ch:send("in time")
    end)
    return ch:receive()
end

-- Another process holds the channel: somebody may still send.
local function shared(parent)
    local ch = channel.new()
    process.send(parent, "channel", ch)
    return ch:receive()
end

local function nested()
    local co = coroutine.wrap(function()
        channel.new():receive() -- line 59
    end)
    co()
end

return {
    alone = alone,
    several = several,
    select_only = select_only,
    sends = sends,
    in_pcall = in_pcall,
    inbox = inbox,
    waits_for_time = waits_for_time,
    shared = shared,
    nested = nested,
}
