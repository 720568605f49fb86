-- attack: an exit through WASI
-- stopped by: the trap
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "exit")
    assert(err and err:kind() == "Internal" and err:message():find("", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
