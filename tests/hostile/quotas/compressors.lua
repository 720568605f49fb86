-- attack: strings that are packed or unpacked with the largest windows there are
-- stopped by: windows fit the string; quota.memory, to which what the library takes is charged before
-- ends: ok
-- modules: compress

local compress = require("compress")
local expect = require("expect")

local function main()
    assert(compress.zstd.decode(compress.zstd.encode("hello", { level = 22 })) == "hello")
    assert(compress.brotli.decode(compress.brotli.encode("hello", { level = 11 })) == "hello")
    -- A frame of one byte that asks for 128 MiB.
    local frame = "\x28\xb5\x2f\xfd\x00\x88\x09\x00\x00x"
    local err = expect.refused("LimitExceeded", compress.zstd.decode(frame))
    assert(err:details().limit == "quota.memory", err:message())
    return true
end

return { main = main }
