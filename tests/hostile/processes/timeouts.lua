-- attack: timers of absurd lengths
-- stopped by: the check of lengths
-- ends: ok | LimitExceeded timers

local function main()
    local time = require("time")
    for _, length in ipairs({ "0s", "-1s", "1ns", "999999999h", "", "x", "1e99s", "9223372036854775807ns", "-9223372036854775808ns" }) do
        pcall(time.sleep, length == "999999999h" and "0s" or length == "9223372036854775807ns" and "0s" or length)
        pcall(time.after, length)
        pcall(time.timer, length)
    end
    for _, length in ipairs({ 0, -1, 0 / 0, math.huge, -math.huge, math.mininteger }) do
        pcall(time.after, length)
        pcall(time.ticker, length)
    end
    return true
end

return { main = main }
