-- attack: patterns that nest, or are too long
-- stopped by: the limits of Lua's matcher
-- ends: ok
-- limits: { cpu_per_turn: 5s }

local function main()
    assert(not pcall(string.find, "x", ("("):rep(1000)))
    assert(not pcall(string.find, "x", ("()"):rep(1000)))
    pcall(string.find, ("x"):rep(300000), ("x?"):rep(300000))
    pcall(string.match, ("x"):rep(100000), ".-" .. ("x-"):rep(10) .. "$")
    assert(not pcall(string.find, "x", "%"))
    assert(not pcall(string.find, "x", "[a"))
    assert(not pcall(string.find, "x", "%f"))
    assert(not pcall(string.gsub, "x", "x", "%9"))
    return true
end

return { main = main }
