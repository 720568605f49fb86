local time = require("time")

local function main(count)
    local pongs = process.listen("pong")
    local peer = assert(process.spawn("app:pong", "app:processes", process.pid()))
    pongs:receive()
    local start = time.now()
    for round = 1, count do
        process.send(peer, "ping", round)
        pongs:receive()
    end
    return time.now():sub(start):seconds()
end

return { main = main }
