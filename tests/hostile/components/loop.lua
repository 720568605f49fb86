-- attack: an endless loop
-- stopped by: limits.cpu_per_turn
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "loop")
    assert(err and err:kind() == "LimitExceeded" and err:message():find("cpu_per_turn", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
