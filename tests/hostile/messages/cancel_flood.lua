-- attack: requests to stop without end
-- stopped by: limits.mailbox_messages
-- ends: ok

local function main()
    local expect = require("expect")
    local pid = process.pid()
    expect.refused("Invalid", process.cancel(pid, ("x"):rep(5000)))
    expect.refused("Invalid", process.cancel(pid, ("x"):rep(1000000)))
    expect.until_refused("RateLimited", 100000, function()
        return process.cancel(pid, "again")
    end)
    return true
end

return { main = main }
