local events = require("events")

-- Publishes, and gives what came back on its own subscription.
local function main()
    local own = events.subscribe("tenants")
    local ok, err = events.send("tenants", "said", "/tenant", { from = "tenant" })
    local event = own:channel():receive()
    return { ok = ok, err = err and tostring(err), got = event.data }
end

-- Gives the first event of a system.
local function listen(system)
    local subscription = events.subscribe(system)
    process.registry.register("event_bus.listener")
    return subscription:channel():receive()
end

return { main = main, listen = listen }
