-- attack: a loop in __tostring, called by print
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    print(setmetatable({}, {
        __tostring = function()
            while true do end
        end,
    }))
end

return { main = main }
