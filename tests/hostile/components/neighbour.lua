-- attack: every import that reaches another process, against one of another tenant
-- stopped by: allow.namespaces of the process host
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "neighbour", where.victim)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    return true
end

return { main = main }
