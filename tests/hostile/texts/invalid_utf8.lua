-- attack: bytes that are no text, everywhere
-- stopped by: text and bytes being told apart at the boundary
-- ends: ok
-- modules: funcs, logger

local function main()
    local bad = { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "abc\x80", ("\xe2\x82"):rep(100) }
    for _, text in ipairs(bad) do
        print(text)
        require("logger"):info(text, { [text] = text })
        assert(not process.registry.register(text))
        assert(not process.registry.lookup(text))
        assert(not process.send(text, "topic", 1))
        assert(not process.send(process.pid(), text, 1))
        assert(not process.spawn(text, "tenant:processes"))
        assert(not process.spawn("tenant:idle", text))
        assert(not process.cancel(process.pid(), text))
        assert(not require("funcs").call(text))
        assert(process.send(process.pid(), "topic", text, { [text] = text }))
        local payload = process.inbox():receive():payload()
        assert(payload[1]:data() == text and payload[2]:data()[text] == text)
        local echoed = require("funcs").call("tenant:echo", text)
        assert(echoed == text)
        local ok, err = process.exec("tenant:invalid_utf8_error", "tenant:processes")
        assert(not ok and err)
    end
    return true
end

return { main = main }
