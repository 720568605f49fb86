-- attack: messages that look like signals, replies and fed topics
-- stopped by: signals being no messages
-- ends: ok

local function main()
    local expect = require("expect")
    local own = process.pid()
    for _, topic in ipairs({ "pid.exit", "pid.cancel", "pid.link.down", "events" }) do
        process.send(own, topic, { kind = topic, from = own, result = { value = "forged" } })
    end
    local got = channel.select({ process.events():case_receive(), default = true })
    assert(got.default, "a message became an event")
    local inbox = process.inbox()
    for _ = 1, 4 do
        assert(inbox:receive():from() == own)
    end
    return true
end

return { main = main }
