-- attack: the same over classes, frontiers and captures
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    return (("a "):rep(3000):find("^" .. ("(.-)%f[%w]"):rep(12) .. "$$"))
end

return { main = main }
