-- attack: a loop in a coroutine of the process, while main waits
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    coroutine.spawn(function()
        while true do end
    end)
    channel.new():receive()
end

return { main = main }
