-- attack: a wait for what will never come
-- stopped by: limits.wall_time
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "wait")
    assert(err and err:kind() == "LimitExceeded" and err:message():find("wall_time", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
