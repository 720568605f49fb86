-- attack: calls that wait in line, each with a large context of its own
-- stopped by: quota.memory, to which contexts are charged until the process ends
-- ends: ok

local funcs = require("funcs")
local expect = require("expect")

local function main()
    local body = ("x"):rep(3900000)
    local err, count = expect.until_refused("LimitExceeded", 100, function(number)
        return funcs.new():with_context({ body = body, number = number }):async("tenant:narrow")
    end)
    assert(err:details().limit == "quota.memory", err:message())
    assert(count < 40, count)
    return true
end

return { main = main }
