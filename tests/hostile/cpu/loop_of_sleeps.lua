-- attack: a process that waits all the time, and so is never long in one turn
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total

local function main()
    local time = require("time")
    while true do
        local until_then = time.now():unix_nano() + 5000000
        while time.now():unix_nano() < until_then do end
        time.sleep("1us")
    end
end

return { main = main }
