-- attack: packed strings of absurd sizes
-- stopped by: string.pack itself
-- ends: ok

local function main()
    assert(not pcall(string.pack, "!16 i17", 1))
    assert(not pcall(string.pack, "c2147483647", "x"))
    assert(not pcall(string.pack, ("x"):rep(100) .. "!3 i4", 1))
    assert(not pcall(string.unpack, "s8", ("\xff"):rep(8) .. "x"))
    assert(not pcall(string.unpack, "c999999999", "x"))
    assert(not pcall(string.unpack, "i4", "x", math.mininteger))
    assert(string.packsize("i16") == 16)
    assert(not pcall(string.packsize, "c2147483647c2147483647"))
    return true
end

return { main = main }
