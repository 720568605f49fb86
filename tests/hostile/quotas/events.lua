-- attack: large events on many subscriptions that nobody takes them from
-- stopped by: quota.mailbox_bytes of the subscriber, and the bound of one event
-- ends: ok
-- modules: events

local events = require("events")
local expect = require("expect")

local function main()
    local subscriptions = {}
    for number = 1, 40 do
        subscriptions[number] = assert(events.subscribe("attack" .. number))
    end
    local large = {}
    for number = 1, 900000 do
        large[number] = true
    end
    for number = 1, 40 do
        assert(events.send("attack" .. number, "a", "b", large))
    end
    expect.refused("LimitExceeded", events.send("attack1", "a", "b", ("x"):rep(1100000)))
    return true
end

return { main = main }
