-- attack: a value that nests deeper than a message may
-- stopped by: limits.message_depth
-- ends: ok

local function main()
    local expect = require("expect")
    local value = {}
    for _ = 1, 50000 do
        value = { value }
    end
    expect.refused("LimitExceeded", process.send(process.pid(), "topic", value))
    return true
end

return { main = main }
