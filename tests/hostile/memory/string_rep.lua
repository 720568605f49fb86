-- attack: strings too long to be
-- stopped by: limits.memory, caught
-- ends: ok

local function main()
    local function refuse(...)
        assert(not pcall(string.rep, ...))
    end
    refuse("x", 1 << 30)
    refuse("x", math.maxinteger)
    refuse(("x"):rep(1000), 1 << 40)
    refuse("x", 1 << 33, ("y"):rep(1000))
    refuse("", math.maxinteger, "sep")
    return true
end

return { main = main }
