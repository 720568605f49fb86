-- attack: a loop whose errors are caught, so that nothing raised can end it
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    while true do
        pcall(function()
            while true do end
        end)
    end
end

return { main = main }
