-- attack: the metatable that all strings share
-- stopped by: frozen tables
-- ends: ok

local function main()
    local meta = getmetatable("")
    assert(not pcall(function() meta.__index = function() return "hijacked" end end))
    assert(not pcall(function() meta.__add = print end))
    assert(not pcall(rawset, meta, "__index", {}))
    assert(not pcall(rawset, meta, "__gc", print))
    assert(not pcall(setmetatable, "", {}))
    assert(not pcall(function() setmetatable(meta, { __index = print }) end) or getmetatable("").__index == string)
    assert(("x"):rep(2) == "xx")
    return true
end

return { main = main }
