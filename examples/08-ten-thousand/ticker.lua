local time = require("time")

-- Waits for the start, ticks a few times, and returns how often.
local function main(interval, ticks)
    process.listen("start"):receive()
    local ticker = time.ticker(interval)
    for _ = 1, ticks do
        ticker:response():receive()
    end
    ticker:stop()
    return ticks
end

return { main = main }
