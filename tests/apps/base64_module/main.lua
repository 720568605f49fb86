local check = require("check")
local base64 = require("base64")

check.case("the vectors of RFC 4648", function()
    for text, encoded in pairs({
        [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
    }) do
        check.equal(base64.encode(text), encoded)
        check.equal(base64.decode(encoded), text)
    end
end)

check.case("all bytes come back", function()
    local bytes = {}
    for byte = 0, 255 do
        bytes[#bytes + 1] = string.char(byte)
    end
    local all = table.concat(bytes)
    check.equal(base64.decode(base64.encode(all)), all)
    check.equal(base64.encode("\xfb\xff"), "+/8=")
    local long = all:rep(1000)
    check.equal(base64.decode(base64.encode(long)), long)
end)

check.case("what is not base64 is Invalid", function()
    for _, text in ipairs({ "Zg=", "Z", "Zg", "Z===", "Zm9v!", "=", "Zm9v=" }) do
        check.fails(errors.INVALID, base64.decode(text))
    end
    check.fails(errors.INVALID, base64.decode(5))
    check.fails(errors.INVALID, base64.encode(5))
    check.fails(errors.INVALID, base64.encode())
end)

return { main = check.main }
