-- attack: tickers as fast as they go
-- stopped by: one wake for all ticks that are due
-- ends: ok | LimitExceeded cpu_total | LimitExceeded wall_time | LimitExceeded memory

local function main()
    local time = require("time")
    for _ = 1, 50 do
        pcall(time.ticker, "1ns")
        pcall(time.ticker, "1us")
    end
    time.sleep("500ms")
    return true
end

return { main = main }
