-- attack: keys of a table that all collide
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local keys = {}
    for number = 1, 20000 do
        keys[number] = number * 2.0 ^ 60
    end
    while true do
        local map = {}
        for _, key in ipairs(keys) do
            map[key] = true
        end
    end
end

return { main = main }
