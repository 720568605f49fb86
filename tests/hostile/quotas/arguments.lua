-- attack: calls that wait in line, each with large arguments that the node keeps meanwhile
-- stopped by: quota.memory, to which arguments are charged until the process ends
-- ends: ok

local funcs = require("funcs")
local expect = require("expect")

local function main()
    local body = ("x"):rep(3900000)
    local err, count = expect.until_refused("LimitExceeded", 100, function()
        return funcs.async("tenant:narrow", body)
    end)
    -- Fewer than there may be processes.
    assert(err:details().limit == "quota.memory", err:message())
    assert(count < 40, count)
    return true
end

return { main = main }
