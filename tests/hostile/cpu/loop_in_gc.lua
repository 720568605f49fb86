-- attack: a loop in a finalizer
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    setmetatable({}, {
        __gc = function()
            while true do end
        end,
    })
    while true do
        local _ = {}
    end
end

return { main = main }
