-- attack: coroutines that all wait for each other
-- stopped by: the detection of deadlocks
-- ends: Internal deadlock

local function main()
    local ch = channel.new()
    coroutine.spawn(function()
        channel.new():receive()
    end)
    ch:receive()
end

return { main = main }
