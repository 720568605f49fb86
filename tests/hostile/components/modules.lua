-- attack: modules that no entry grants to a component
-- stopped by: grants, checked in the host
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "modules", where.victim)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    return true
end

return { main = main }
