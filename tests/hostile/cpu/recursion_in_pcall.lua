-- attack: a recursion that catches its own overflow and goes on
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local function descend()
        pcall(descend)
        pcall(descend)
    end
    while true do
        descend()
    end
end

return { main = main }
