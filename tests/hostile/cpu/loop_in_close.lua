-- attack: a loop in __close
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    do
        local _ <close> = setmetatable({}, {
            __close = function()
                while true do end
            end,
        })
    end
end

return { main = main }
