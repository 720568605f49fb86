-- attack: few messages, each as large as may be
-- stopped by: limits.mailbox_bytes
-- ends: ok

local function main()
    local expect = require("expect")
    local body = ("x"):rep(60000)
    local _, sent = expect.until_refused("RateLimited", 1000, function()
        return process.send(process.pid(), "flood", body)
    end)
    assert(sent <= 9, sent)
    return true
end

return { main = main }
