-- attack: a select of as many cases as fit into memory
-- stopped by: the limit of cases
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "many_cases", where.victim)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    return true
end

return { main = main }
