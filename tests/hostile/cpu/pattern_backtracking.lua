-- attack: a pattern that backtracks without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    return (("a"):rep(3000):find(("a*"):rep(20) .. "b"))
end

return { main = main }
