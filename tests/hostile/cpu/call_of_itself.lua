-- attack: a value whose __call is the value itself
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn | Internal overflow

local function main()
    local trap = setmetatable({}, {})
    getmetatable(trap).__call = trap
    trap()
end

return { main = main }
