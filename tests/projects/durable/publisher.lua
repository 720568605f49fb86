local queue = require("queue")
local io = require("io")

-- Publishes numbers without end, several at a time, and says which were taken in.
local function main(from)
    local next = math.tointeger(from)
    for _ = 1, 8 do
        coroutine.spawn(function()
            while true do
                local n = next
                next = next + 1
                local ok, err = queue.publish("app:tasks", { n = n })
                if not ok then
                    error(err)
                end
                io.print("ack " .. n .. ";")
            end
        end)
    end
    channel.new():receive()
end

return { main = main }
