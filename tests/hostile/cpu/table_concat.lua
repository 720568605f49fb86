-- attack: a list of empty strings that has no end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    return table.concat(setmetatable({}, {
        __index = function()
            return ""
        end,
    }), "", 1, math.maxinteger - 1)
end

return { main = main }
