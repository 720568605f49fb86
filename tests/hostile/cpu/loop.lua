-- attack: an endless loop
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    while true do end
end

return { main = main }
