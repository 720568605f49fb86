local time = require("time")

-- Receives `each` messages from each of `senders` processes.
local function main(senders, each)
    local ready = process.listen("ready")
    local values = process.listen("value")
    local sent = process.listen("sent")
    local pids = {}
    for index = 1, senders do
        pids[index] = assert(process.spawn("app:sender", "app:processes", process.pid(), each))
        ready:receive()
    end

    local start = time.now()
    for _, pid in ipairs(pids) do
        process.send(pid, "go")
    end
    for _ = 1, senders * each do
        values:receive()
    end
    local seconds = time.now():sub(start):seconds()

    local refused = 0
    for _ = 1, senders do
        refused = refused + sent:receive()
    end
    return { seconds = seconds, refused = refused }
end

return { main = main }
