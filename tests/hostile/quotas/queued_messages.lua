-- attack: messages of a queue that are small as documents and large as values
-- stopped by: max_bytes of the queue, which holds documents
-- ends: ok
-- modules: queue

local queue = require("queue")

local function main()
    local body = {}
    for number = 1, 1000000 do
        body[number] = true
    end
    for _ = 1, 30 do
        assert(queue.publish("tenant:queue", body))
    end
    return true
end

return { main = main }
