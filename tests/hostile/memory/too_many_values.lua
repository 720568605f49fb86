-- attack: more arguments and results than a stack holds
-- stopped by: Lua's own stack limit
-- ends: ok

local function main()
    assert(not pcall(table.unpack, {}, 1, 10000000))
    assert(not pcall(table.unpack, {}, math.mininteger, math.maxinteger))
    assert(not pcall(string.byte, ("x"):rep(2000000), 1, -1))
    assert(not pcall(utf8.codepoint, ("x"):rep(2000000), 1, -1))
    local list = {}
    for number = 1, 200000 do
        list[number] = 0
    end
    local ok, count = pcall(function()
        return select("#", table.unpack(list))
    end)
    assert(not ok or count == 200000)
    assert(not pcall(function()
        return string.char(table.unpack(list, 1, 300000))
    end))
    return true
end

return { main = main }
