local io = require("io")

-- Gives numbers without end to what takes them in, several at a time, and says which it took.
local function feed(from, take)
    local next = math.tointeger(from)
    for _ = 1, 8 do
        coroutine.spawn(function()
            while true do
                local n = next
                next = next + 1
                local ok, err = take(n)
                if not ok then
                    error(err)
                end
                io.print("ack " .. n .. ";")
            end
        end)
    end
    channel.new():receive()
end

return { feed = feed }
