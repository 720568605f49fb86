-- attack: timers that have ended and nobody looks at
-- stopped by: limits.pending_calls
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "timers", where.victim)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    return true
end

return { main = main }
