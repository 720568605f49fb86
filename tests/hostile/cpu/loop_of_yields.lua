-- attack: coroutines that yield and are thrown away, without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    while true do
        coroutine.wrap(function()
            coroutine.yield()
        end)()
    end
end

return { main = main }
