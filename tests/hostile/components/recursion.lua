-- attack: a recursion without end
-- stopped by: the stack of the component
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "recursion")
    assert(err and err:kind() == "Internal" and err:message():find("trapped", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
