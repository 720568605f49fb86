local check = require("check")
local compress = require("compress")

local FORMATS = { "gzip", "deflate", "zlib", "brotli", "zstd" }
local TEXT = ("The quick brown fox jumps over the lazy dog. "):rep(200)

check.case("what is packed is unpacked", function()
    for _, name in ipairs(FORMATS) do
        local format = compress[name]
        for _, options in ipairs({ {}, { level = 1 }, { level = 9 } }) do
            local packed = format.encode(TEXT, options)
            check.is_true(#packed < #TEXT / 5, name)
            check.equal(format.decode(packed), TEXT)
        end
        local bytes = "\0\1\2\255\254" .. ("x"):rep(50000) .. "\xff"
        check.equal(format.decode(format.encode(bytes)), bytes)
    end
end)

check.case("bombs are stopped", function()
    for _, name in ipairs(FORMATS) do
        local packed = compress[name].encode(("\0"):rep(500000))
        local err = check.fails(errors.INTERNAL, compress[name].decode(packed, { max_size = 1000 }))
        check.equal(err:details(), { limit = "max_size", allowed = 1000, used = 1001 })
    end
end)

check.case("what is no compressed string is an error", function()
    for _, name in ipairs(FORMATS) do
        check.fails(errors.INVALID, compress[name].decode("this is not compressed at all"))
        check.fails(errors.INVALID, compress[name].decode(""))
        check.fails(errors.INVALID, compress[name].encode(""))
        check.fails(errors.INVALID, compress[name].encode("a", { level = 99 }))
        check.fails(errors.INVALID, compress[name].decode("a", { max_size = 0 }))
        check.raises("string expected", compress[name].encode, {})
    end
end)

check.case("dictionaries make small strings smaller", function()
    local samples = {}
    for number = 1, 200 do
        samples[number] = ('{"user":"user-%d","action":"login","status":"ok","region":"eu-%d"}'):format(number, number % 7)
    end
    local dict = compress.zstd.train_dict(samples, { size = 4096 })
    local info = compress.zstd.inspect_dict(dict)
    check.equal(info.content_size, #dict)
    local packed = compress.zstd.encode(samples[7], { dict = dict })
    check.is_true(#packed < #compress.zstd.encode(samples[7]))
    check.equal(compress.zstd.decode(packed, { dict = dict }), samples[7])
    check.fails(errors.INVALID, compress.zstd.decode(packed))
    check.fails(errors.INVALID, compress.zstd.train_dict({ "a" }))
end)

return { main = check.main }
