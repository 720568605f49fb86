-- attack: a loop in a coroutine of Lua
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    coroutine.wrap(function()
        while true do end
    end)()
end

return { main = main }
