-- attack: a host channel whose receiver never comes
-- stopped by: the buffer of the channel: senders wait
-- ends: ok | LimitExceeded memory

local time = require("time")
local function main(role, where)
    if role == "holder" then
        local ch = where
        process.inbox():receive()
        return ch
    end
    local ch = channel.new(10)
    assert(process.spawn("tenant:channel_flood", "tenant:processes", "holder", ch))
    local sent = 0
    for _ = 1, 150 do
        coroutine.spawn(function()
            for _ = 1, 100 do
                ch:send(("x"):rep(60000))
                sent = sent + 1
            end
        end)
    end
    time.sleep("300ms")
    assert(sent < 100, sent)
    return true
end

return { main = main }
