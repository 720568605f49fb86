local io = require("io")

local INTERVAL = "100ms"
local TICKS = 5

local function main(count)
    count = math.tointeger(count or 10000)
    local events = process.events()

    local pids = {}
    for index = 1, count do
        pids[index] = assert(process.spawn_monitored("app:ticker", "app:processes", INTERVAL, TICKS))
    end
    io.print(#pids .. " processes wait")

    for _, pid in ipairs(pids) do
        process.send(pid, "start")
    end

    local total = 0
    for _ = 1, count do
        local result = events:receive().result
        if result.error then
            return nil, result.error
        end
        total = total + result.value
    end
    io.print(total .. " ticks counted")
end

return { main = main }
