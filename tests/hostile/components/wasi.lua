-- attack: files, environment, network and standard streams through WASI
-- stopped by: a WASI with nothing in it
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "wasi", where.victim)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    return true
end

return { main = main }
