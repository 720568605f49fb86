-- attack: children that stay, without end
-- stopped by: quota.processes and limits.children
-- ends: ok

local function main()
    local expect = require("expect")
    local _, count = expect.until_refused("LimitExceeded", 1000, function()
        return process.spawn("tenant:idle", "tenant:processes")
    end)
    assert(count <= 30, count)
    return true
end

return { main = main }
