-- attack: a call that hands over a name of megabytes
-- stopped by: the most that one call may hand over
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "large_text")
    assert(err and err:kind() == "LimitExceeded" and err:message():find("message_size", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
