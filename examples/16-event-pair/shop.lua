local events = require("events")

local function publish(...)
    assert(events.send(...))
end

-- Publishes what happens. It knows nobody who listens.
local function main()
    publish("orders.eu", "order.created", "/orders/1", { total = 30 })
    publish("orders.us", "order.created", "/orders/2", { total = 12.5 })
    publish("orders.eu", "order.paid", "/orders/1")
    publish("stock", "item.sold", "/items/7", { left = 2 })
    publish("orders.eu", "day.closed", "/orders")
end

return { main = main }
