-- attack: an error of terminal sequences and broken details
-- stopped by: text without control characters, and the decoder
-- ends: ok

local function main()
    local expect = require("expect")
    local _, err = expect.outcome("tenant:intruder", "tenant:processes", "error")
    assert(err and #tostring(err) < 200000)
    pcall(err.details, err)
    local _, err = process.exec("tenant:intruder", "tenant:processes", "error")
    assert(err)
    return true
end

return { main = main }
