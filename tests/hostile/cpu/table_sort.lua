-- attack: a list that claims to be long, sorted
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    table.sort(setmetatable({}, {
        __len = function()
            return 2147483000
        end,
        __index = function(_, key)
            return -key
        end,
        __newindex = function() end,
    }))
end

return { main = main }
