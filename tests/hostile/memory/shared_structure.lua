-- attack: a small value that is huge once written out
-- stopped by: limits.message_size and limits.message_depth
-- ends: ok

local function main()
    local expect = require("expect")
    local value = { "x" }
    for _ = 1, 60 do
        value = { value, value }
    end
    expect.refused("LimitExceeded", process.send(process.pid(), "topic", value))
    local value = { "x" }
    for _ = 1, 40 do
        value = { value, value }
    end
    expect.refused("LimitExceeded", process.send(process.pid(), "topic", value))
    return true
end

return { main = main }
