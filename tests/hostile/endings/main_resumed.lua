-- attack: a main function that is resumed by what it started
-- stopped by: how an exit is made
-- ends: ok | Internal
-- modules: time

local function main()
    local main_thread = coroutine.running()
    coroutine.spawn(function()
        for _ = 1, 10 do
            pcall(coroutine.resume, main_thread)
            pcall(coroutine.close, main_thread)
        end
    end)
    require("time").sleep("5ms")
    return true
end

return { main = main }
