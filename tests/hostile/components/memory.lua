-- attack: memory without end
-- stopped by: limits.memory
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "memory")
    assert(err and err:kind() == "LimitExceeded" and err:message():find("memory", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
