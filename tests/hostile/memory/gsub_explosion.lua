-- attack: a replacement far longer than the text
-- stopped by: limits.memory, caught
-- ends: ok

local function main()
    assert(not pcall(string.gsub, ("x"):rep(100000), "", ("y"):rep(10000)))
    assert(not pcall(string.gsub, ("x"):rep(100000), "x", "%0%0%0%0%0%0%0%0%0" .. ("y"):rep(10000)))
    return true
end

return { main = main }
