local io = require("io")

local function main()
    -- Links tie the stages together: when one fails, all of them end, and so does this process.
    local sum = assert(process.spawn_linked_monitored("app:sum", "app:processes"))
    local odd = assert(process.spawn_linked("app:odd", "app:processes", sum))
    local squares = assert(process.spawn_linked("app:squares", "app:processes", odd))
    assert(process.spawn_linked("app:numbers", "app:processes", squares, 100))

    local event = process.events():receive()
    local result = event.result.value
    io.print("odd squares up to 100 * 100: " .. result.count .. ", sum " .. result.total)
end

return { main = main }
