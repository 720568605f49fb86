local time = require("time")

-- One coroutine sends `count` values through a channel of `size`, another receives them.
local function main(count, size)
    local values = channel.new(size)
    local start = time.now()
    coroutine.spawn(function()
        for value = 1, count do
            values:send(value)
        end
    end)
    local sum = 0
    for _ = 1, count do
        sum = sum + values:receive()
    end
    local seconds = time.now():sub(start):seconds()
    assert(sum == count * (count + 1) // 2)
    return seconds
end

return { main = main }
