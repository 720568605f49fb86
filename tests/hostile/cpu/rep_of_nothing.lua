-- attack: more repetitions of an empty string than there is time
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn | ok

local function main()
    return #string.rep("", math.maxinteger)
end

return { main = main }
