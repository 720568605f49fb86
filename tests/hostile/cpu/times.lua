-- attack: time zones and layouts without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local time = require("time")
    while true do
        time.parse("2006-01-02T15:04:05Z07:00", "2024-02-30T25:61:61Z")
        time.now():format(("2006"):rep(1000))
        os.date(("%c"):rep(50), 0)
    end
end

return { main = main }
