-- attack: an iterator without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local trap = setmetatable({}, {
        __pairs = function()
            return function()
                return 1, 1
            end
        end,
    })
    for _ in pairs(trap) do end
end

return { main = main }
