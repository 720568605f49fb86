-- attack: a loop of jumps
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    ::again::
    goto again
end

return { main = main }
