-- attack: an insertion into a list that claims to be long
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    table.insert(setmetatable({}, {
        __len = function()
            return math.maxinteger - 2
        end,
    }), 1, "x")
end

return { main = main }
