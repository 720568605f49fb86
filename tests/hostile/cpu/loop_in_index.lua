-- attack: a loop in a metamethod
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local trap = setmetatable({}, {
        __index = function()
            while true do end
        end,
    })
    return trap.field
end

return { main = main }
