-- attack: more topics than a process may listen to
-- stopped by: the limit of topics, or limits.memory
-- ends: ok | LimitExceeded memory

local function main()
    local expect = require("expect")
    local _, count = expect.until_refused("LimitExceeded", 50000, function(number)
        return process.listen("topic " .. number)
    end)
    assert(count <= 10000, count)
    return true
end

return { main = main }
