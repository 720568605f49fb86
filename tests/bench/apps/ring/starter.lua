local time = require("time")

-- Builds a ring of `size` processes and sends `tokens` tokens around it, each for `hops` messages.
local function main(size, tokens, hops)
    local built = process.listen("built")
    local done = process.listen("done")
    local nodes = {}
    for index = 1, size do
        nodes[index] = assert(process.spawn("app:node", "app:processes", process.pid(), nodes[index - 1]))
        built:receive()
    end
    process.send(nodes[1], "next", nodes[size])
    built:receive()

    local start = time.now()
    for token = 1, tokens do
        process.send(nodes[1 + token * size // (tokens + 1)], "token", hops - 1)
    end
    for _ = 1, tokens do
        done:receive()
    end
    return time.now():sub(start):seconds()
end

return { main = main }
