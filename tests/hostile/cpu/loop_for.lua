-- attack: a loop up to infinity
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    for _ = 1, math.huge do end
end

return { main = main }
