local io = require("io")
local events = require("events")

local function main()
    -- Every system below `orders`, and one kind of another system.
    local orders = assert(events.subscribe("orders.*"))
    local sold = assert(events.subscribe("stock", "item.(sold|returned)"))
    -- The node itself publishes, too: this process ends.
    local exits = assert(events.subscribe("process", "process.exit"))

    local pid = process.spawn("app:shop", "app:processes")

    local total = 0
    while true do
        local event = orders:channel():receive()
        if event.kind == "day.closed" then
            break
        end
        total = total + (event.data and event.data.total or 0)
        io.print(event.system .. " " .. event.kind .. " " .. event.path)
    end
    io.print("total: " .. total)

    local event = sold:channel():receive()
    io.print("left of " .. event.path .. ": " .. event.data.left)

    repeat
        event = exits:channel():receive()
    until event.path == pid
    io.print(event.data.entry .. " has ended")

    orders:close()
    local _, open = orders:channel():receive()
    io.print("still subscribed to orders: " .. tostring(open))
end

return { main = main }
