-- attack: an end while calls, timers, channels and children wait
-- stopped by: how an exit is made
-- ends: Internal in the middle
-- modules: time, funcs

local function main()
    local time, funcs = require("time"), require("funcs")
    for _ = 1, 10 do
        funcs.async("tenant:echo", 1)
        time.after("1h")
        coroutine.spawn(function()
            time.sleep("1h")
        end)
        coroutine.spawn(function()
            process.exec("tenant:idle", "tenant:processes")
        end)
        process.spawn_linked("tenant:idle", "tenant:processes")
    end
    time.sleep("2ms")
    error("in the middle")
end

return { main = main }
