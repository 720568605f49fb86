-- attack: a move of more places than there is time
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    table.move({}, 1, math.maxinteger - 1, 2)
end

return { main = main }
