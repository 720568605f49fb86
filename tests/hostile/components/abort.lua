-- attack: an abort
-- stopped by: the trap
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "panic")
    assert(err and err:kind() == "Internal" and err:message():find("", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
