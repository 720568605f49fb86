-- attack: calls into the host without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn | LimitExceeded host_calls

local function main()
    while true do
        process.registry.lookup("nobody")
    end
end

return { main = main }
