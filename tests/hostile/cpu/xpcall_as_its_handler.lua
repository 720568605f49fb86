-- attack: errors in error handlers of error handlers
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local function again()
        return xpcall(again, again)
    end
    while true do
        again()
    end
end

return { main = main }
