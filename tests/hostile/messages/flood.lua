-- attack: one sender, one receiver that never looks
-- stopped by: limits.mailbox_messages
-- ends: ok

local function main()
    local expect = require("expect")
    local pid = process.spawn("tenant:idle", "tenant:processes")
    process.send(pid, "wake up first", 1)
    local deaf = process.pid()
    local err, sent = expect.until_refused("RateLimited", 100000, function(number)
        return process.send(deaf, "flood", number)
    end)
    assert(err:retryable() and sent <= 500, sent)
    return true
end

return { main = main }
