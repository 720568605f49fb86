-- attack: clocks of WASI that are never given back
-- stopped by: the most resources that a component may have
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "clocks")
    assert(err and err:kind() == "LimitExceeded" and err:message():find("handles", 1, true), tostring(err and err:kind()) .. ": " .. tostring(err))
    return true
end

return { main = main }
