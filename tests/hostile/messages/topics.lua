-- attack: topics that are none
-- stopped by: the check of topics
-- ends: ok

local function main()
    local expect = require("expect")
    local own = process.pid()
    for _, topic in ipairs({ "", "@", "@close", "@timer/1", ("x"):rep(256), ("x"):rep(1000000), "\xff\xfe", "\xed\xa0\x80" }) do
        expect.refused("Invalid", process.send(own, topic, 1))
    end
    for _, topic in ipairs({ "", ("x"):rep(256), ("x"):rep(1000000), "\xc3" }) do
        expect.refused("Invalid", process.listen(topic))
    end
    for _, topic in ipairs({ "\0", "\27[2J", "\r\n", ("\u{202e}"):rep(10) }) do
        assert(process.send(own, topic, 1))
    end
    expect.refused("Invalid", process.send(own))
    assert(not pcall(process.send, own, {}, 1))
    assert(not pcall(process.send, {}, "topic", 1))
    return true
end

return { main = main }
