-- attack: coroutines with __close that never ends, left when the process does
-- stopped by: an instance that is dropped, not closed
-- ends: ok
-- modules: time

local function main()
    coroutine.spawn(function()
        local _ <close> = setmetatable({}, {
            __close = function()
                while true do end
            end,
        })
        channel.new():receive()
    end)
    require("time").sleep("1ms")
    return true
end

return { main = main }
