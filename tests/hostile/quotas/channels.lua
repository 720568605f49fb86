-- attack: values that wait in many channels between processes
-- stopped by: quota.mailbox_bytes, to which they are charged like messages
-- ends: ok

local expect = require("expect")

local function main(role)
    if role == "holder" then
        process.inbox():receive()
        return true
    end
    local body = ("x"):rep(900000)
    local channels = {}
    for number = 1, 10 do
        channels[number] = channel.new(10)
    end
    assert(process.spawn("tenant:channels", "tenant:processes", "holder", table.unpack(channels)))
    local sent, refused = 0, 0
    for _, ch in ipairs(channels) do
        local ok, err = pcall(ch.send, ch, body)
        if ok then
            sent = sent + 1
        else
            refused = refused + 1
            assert(tostring(err):find("may wait in the channels and mailboxes", 1, true), tostring(err))
        end
    end
    assert(refused > 0 and sent <= 4, sent)
    return true
end

return { main = main }
