-- attack: more endless steps than there are threads, so that whoever waits for a thread waits for ever
-- stopped by: queues that go on to serve brief steps
-- ends: ok | LimitExceeded wall_time

local time = require("time")

local function main(role)
    if role == "loop" then
        while true do end
    elseif role == "echo" then
        local inbox = process.inbox()
        while true do
            local message = inbox:receive()
            process.send(message:from(), "echo", message:payload():data())
        end
    end
    local echo, back = assert(process.spawn("tenant:endless_steps", "tenant:processes", "echo")), process.listen("echo")
    local function trips(count)
        for number = 1, count do
            assert(process.send(echo, "trip", number))
            assert(back:receive() == number)
        end
    end
    trips(10)
    for _ = 1, 600 do
        assert(process.spawn("tenant:endless_steps", "tenant:processes", "loop"))
    end
    time.sleep("500ms")
    trips(100)
    return true
end

return { main = main }
