local native = ...

-- How many events a subscription holds that its process has not received; more wait in the host.
local BUFFER = 64

local Subscription = {}
Subscription.__index = Subscription
Subscription.__name = "Subscription"
Subscription.__metatable = false

local function pump(subscription, id, events)
    while true do
        local got = native.next(id)
        if not got then
            break
        end
        subscription.missed = subscription.missed + got[2]
        if not pcall(events.send, events, got[1]) then
            return
        end
    end
    events:close()
end

function Subscription:channel()
    return self.events
end

function Subscription:close()
    native.close(self.id)
    self.events:close()
    return true
end

-- How many events were lost because this process was too slow.
function Subscription:lost()
    return self.missed
end

local events = { send = native.send }

function events.subscribe(system, kind)
    local id, err = native.subscribe(system, kind)
    if not id then
        return nil, err
    end
    local subscription = setmetatable({ id = id, events = channel.new(BUFFER), missed = 0 }, Subscription)
    coroutine.spawn(pump, subscription, id, subscription.events)
    return subscription
end

return events
