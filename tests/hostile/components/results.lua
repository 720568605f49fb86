-- attack: a result that is no document, with channels that are none
-- stopped by: the decoder of whoever hears of it
-- ends: ok

local function main()
    local expect = require("expect")
    local value, err = expect.outcome("tenant:intruder", "tenant:processes", "results")
    assert(value == nil)
    local value, err = process.exec("tenant:intruder", "tenant:processes", "results")
    assert(value == nil)
    return true
end

return { main = main }
