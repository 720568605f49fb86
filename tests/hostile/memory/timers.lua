-- attack: timers without end
-- stopped by: limits.timers
-- ends: ok

local function main()
    local time = require("time")
    local count = 0
    local ok = pcall(function()
        while true do
            assert(time.after("1h"))
            count = count + 1
        end
    end)
    assert(not ok and count <= 500, count)
    return true
end

return { main = main }
