-- attack: a loop in an error handler
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    xpcall(error, function()
        while true do end
    end)
end

return { main = main }
