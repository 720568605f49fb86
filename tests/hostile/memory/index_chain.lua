-- attack: a chain of __index that is a ring
-- stopped by: Lua's limit of such chains
-- ends: ok

local function main()
    local one, other = {}, {}
    setmetatable(one, { __index = other })
    setmetatable(other, { __index = one })
    assert(not pcall(function()
        return one.field
    end))
    assert(not pcall(function()
        one.field = 1
        setmetatable(one, { __newindex = other })
        setmetatable(other, { __newindex = one })
        one.another = 1
    end))
    return true
end

return { main = main }
