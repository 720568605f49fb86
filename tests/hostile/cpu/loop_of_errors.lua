-- attack: errors, thrown and caught without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    while true do
        pcall(error, {})
    end
end

return { main = main }
