-- Sleeps for 10 ms again and again, counts how often it woke, and how late at most, in milliseconds.
local time = require("time")

local function main(driver)
    local reports = process.listen("report")
    local count, latest = 0, 0
    process.send(driver, "ready", true)
    local before = time.now():unix_nano()
    while true do
        time.sleep("10ms")
        local now = time.now():unix_nano()
        count = count + 1
        latest = math.max(latest, (now - before) / 1e6 - 10)
        before = now
        if not channel.select({ reports:case_receive(), default = true }).default then
            process.send(driver, "ticks", { count = count, latest = latest })
        end
    end
end

return { main = main }
