-- attack: a loop in a comparison function
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    table.sort({ 3, 2, 1 }, function()
        while true do end
    end)
end

return { main = main }
