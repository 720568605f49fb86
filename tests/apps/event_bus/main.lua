local check = require("check")
local events = require("events")
local registry = require("registry")

local function subscribe(system, kind)
    local subscription, err = events.subscribe(system, kind)
    if not subscription then
        error(tostring(err), 2)
    end
    return subscription, subscription:channel()
end

check.case("an event has system, kind, path and data", function()
    local subscription, ch = subscribe("orders")
    check.is_true(events.send("orders", "order.created", "/orders/1", { total = 99.5, items = { "a" } }))
    check.is_true(events.send("orders", "heartbeat", "/health"))
    check.equal(check.receive(ch), {
        system = "orders",
        kind = "order.created",
        path = "/orders/1",
        data = { total = 99.5, items = { "a" } },
    })
    check.equal(check.receive(ch), { system = "orders", kind = "heartbeat", path = "/health" })
    check.is_true(subscription:channel() == ch)
    subscription:close()
end)

check.case("patterns choose systems and kinds", function()
    local function seen(system, kind)
        local subscription, ch = subscribe(system, kind)
        events.send("shop", "opened", "/")
        events.send("shop.orders", "order.paid", "/")
        events.send("shop.orders.eu", "order.lost", "/")
        events.send("bank", "order.paid", "/")
        events.send("done", "done", "/end")
        local marker, marks = subscribe("done2")
        events.send("done2", "done", "/end")
        check.receive(marks)
        marker:close()
        local found = {}
        while true do
            local ready = channel.select({ ch:case_receive(), default = true })
            if ready.default then
                break
            end
            table.insert(found, ready.value.system .. " " .. ready.value.kind)
        end
        subscription:close()
        return found
    end
    check.equal(seen("shop"), { "shop opened" })
    check.equal(seen("shop.*"), { "shop.orders order.paid" })
    check.equal(seen("shop.**"), { "shop opened", "shop.orders order.paid", "shop.orders.eu order.lost" })
    check.equal(seen("(bank|shop)"), { "shop opened", "bank order.paid" })
    check.equal(seen("shop.**", "order.*"), { "shop.orders order.paid", "shop.orders.eu order.lost" })
    check.equal(seen("bank", "order.(paid|lost)"), { "bank order.paid" })
    check.equal(seen("bank", "*"), { "bank order.paid" })
end)

check.case("each subscriber gets every event, in order", function()
    local one, first = subscribe("counted")
    local two, second = subscribe("counted", "tick")
    check.spawn("event_bus:publisher", "counted", 500)
    for number = 1, 500 do
        check.equal(check.receive(first).data.number, number)
        check.equal(check.receive(second).data.number, number)
    end
    one:close()
    two:close()
end)

check.case("close ends the channel, and twice is fine", function()
    local subscription, ch = subscribe("closing")
    check.is_true(subscription:close())
    events.send("closing", "x", "/")
    local value, ok = check.receive(ch)
    check.is_nil(value)
    check.equal(ok, false)
    check.is_true(subscription:close())
end)

check.case("empty texts and patterns that are none are Invalid, other types raise", function()
    check.fails("Invalid", events.subscribe(""))
    check.fails("Invalid", events.subscribe("a", ""))
    check.fails("Invalid", events.send("", "kind", "/"))
    check.fails("Invalid", events.send("system", "", "/"))
    check.fails("Invalid", events.send("system", "kind", ""))
    check.raises("bad argument #1 to 'subscribe' (string expected", events.subscribe)
    check.raises("bad argument #2 to 'send' (string expected", events.send, "system")
    check.raises("bad argument #2 to 'subscribe' (string expected", events.subscribe, "system", {})
end)

check.case("a slow subscriber loses events, and nobody waits for it", function()
    local subscription, ch = subscribe("flood")
    -- Sent in one go, so that this process cannot take any of them meanwhile.
    for _ = 1, 3000 do
        events.send("flood", "tick", "/")
    end
    -- The first ones are there, a gap, and what came when there was room again.
    check.equal(check.receive(ch).kind, "tick")
    while subscription:lost() == 0 do
        check.receive(ch)
        events.send("flood", "more", "/")
    end
    check.is_true(subscription:lost() > 1000)
    subscription:close()
end)

check.case("changes of the registry are events", function()
    local subscription, ch = subscribe("registry")
    local changes = registry.snapshot():changes()
    changes:create({ id = "event_bus.test:made", kind = "registry.entry", data = { secret = 1 } })
    local version = changes:apply()
    local path = tostring(version:id())
    check.equal(check.receive(ch), { system = "registry", kind = "registry.begin", path = path, data = { version = version:id(), changes = 1 } })
    check.equal(check.receive(ch), {
        system = "registry",
        kind = "entry.create",
        path = "event_bus.test:made",
        data = { id = "event_bus.test:made", kind = "registry.entry", version = version:id() },
    })
    check.equal(check.receive(ch).kind, "registry.commit")
    subscription:close()
    local only, deleted = subscribe("registry", "entry.delete")
    registry.snapshot():changes():delete("event_bus.test:made"):apply()
    check.equal(check.receive(deleted).path, "event_bus.test:made")
    only:close()
end)

check.case("processes begin and end with events", function()
    local subscription, ch = subscribe("process")
    local pid = check.spawn("event_bus:quick", true)
    local kinds = {}
    while #kinds < 2 do
        local event = check.receive(ch)
        if event.path == pid then
            table.insert(kinds, event.kind)
            check.equal(event.data.entry, "event_bus:quick")
            check.equal(event.data.host, "lib:processes")
            if event.kind == "process.exit" then
                check.contains(event.data.error, "quick and wrong")
            end
        end
    end
    check.equal(kinds, { "process.spawn", "process.exit" })
    subscription:close()
end)

check.case("services are events of the supervisor", function()
    local subscription, ch = subscribe("supervisor", "service.(start|running|stopped)")
    local changes = registry.snapshot():changes()
    changes:create({
        id = "event_bus.test:waits",
        kind = "process.lua",
        data = { source = "return { main = function() process.events():receive() end }", method = "main" },
    })
    changes:create({
        id = "event_bus.test:service",
        kind = "process.service",
        data = { process = "event_bus.test:waits", host = "lib:processes", lifecycle = { auto_start = true } },
    })
    check.is_true(changes:apply() ~= nil)
    local event = check.receive(ch)
    check.equal({ event.kind, event.path }, { "service.start", "event_bus.test:service" })
    check.equal(check.receive(ch).kind, "service.running")
    registry.snapshot():changes():delete("event_bus.test:service"):delete("event_bus.test:waits"):apply()
    check.equal(check.receive(ch).kind, "service.stopped")
    subscription:close()
end)

check.case("namespaces that a host allows bound events, too", function()
    local subscription, ch = subscribe("tenants")
    local result, err = process.exec("event_bus.tenant:talker", "event_bus:bounded")
    check.is_nil(err)
    check.equal(result, { ok = true, got = { from = "tenant" } })
    events.send("tenants", "ours", "/")
    check.equal(check.receive(ch).kind, "ours", "nothing of the tenant came")
    subscription:close()
    local pid = process.spawn_monitored("event_bus.tenant:listener", "event_bus:bounded", "tenants")
    while not process.registry.lookup("event_bus.listener") do
        process.exec("event_bus:quick", "lib:processes")
    end
    events.send("tenants", "ours", "/not for tenants")
    process.exec("event_bus.tenant:talker", "event_bus:bounded")
    check.equal(check.event(process.event.EXIT, pid).result.value.kind, "said")
end)

return { main = check.main }
