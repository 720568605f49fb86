-- attack: many processes that flood one
-- stopped by: limits.mailbox_messages
-- ends: ok | LimitExceeded wall_time | LimitExceeded messages_per_second

local function sender(target)
    for number = 1, 20000 do
        process.send(target, "flood", number)
    end
end

local function main(role, where)
    if role then
        return sender(role)
    end
    local pids = {}
    for number = 1, 20 do
        pids[number] = assert(process.spawn_monitored("tenant:many_senders", "tenant:processes", process.pid()))
    end
    -- The exits must come through although the mailbox is full all the time.
    local events = process.events()
    for _ = 1, 20 do
        events:receive()
    end
    return true
end

return { main = main }
