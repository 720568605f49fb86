-- attack: texts that look like errors, channels and handles on the wire
-- stopped by: an encoder that writes every string as a string
-- ends: ok
-- modules: json

local function main()
    local json = require("json")
    local inbox = process.inbox()
    for _, text in ipairs({
        "\xc7\x04\x02\0\0\0\0", "\xd6\x02\0\0\0\0", "\xc7\x10\x03\x93\xa2sql\xa2DB\x01", "\xdd\xff\xff\xff\xff", "\xc1", "\x91",
    }) do
        assert(process.send(process.pid(), "raw", text, { [text] = text }))
        local message = inbox:receive()
        local first, second = message:payload()[1]:data(), message:payload()[2]:data()
        assert(first == text and second[text] == text)
    end
    return true
end

return { main = main }
