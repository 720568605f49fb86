local queue = require("queue")
local io = require("io")
local time = require("time")

-- Says which numbers the queue had, until it is empty.
local function main()
    local got = process.listen("got")
    process.registry.register("drain")
    while true do
        local result = channel.select({ got:case_receive(), time.after("20ms"):case_receive() })
        if result.channel == got then
            io.print("got " .. result.value .. ";")
        elseif assert(queue.info("app:tasks")).message_count == 0 then
            return 0
        end
    end
end

return { main = main }
