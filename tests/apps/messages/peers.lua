-- Listens only after it was told, so that what came before waits in its mailbox.
local function late(parent)
    local go = process.listen("go")
    go:receive()
    local got = {}
    local ch = process.listen("early")
    for index = 1, 3 do
        got[index] = ch:receive()
    end
    return got
end

-- Sends every message back: topic, sender, and what the payload is.
local function echo()
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        process.send(message:from(), "echo", { topic = message:topic(), from = message:from(), payload = message:payload() and message:payload():data() })
    end
end

local function quick() end

local function ordered(parent, count)
    for number = 1, count do
        assert(process.send(parent, number % 2 == 0 and "even" or "odd", number))
    end
end

-- Ends a subscription half-way: the inbox gets what comes later on that topic.
local function fall_through(parent)
    local inbox = process.inbox()
    local topic = process.listen("topic")
    process.send(parent, "ready")
    local first = topic:receive()
    process.unlisten(topic)
    local closed, open = topic:receive()
    process.send(parent, "ready")
    local message = inbox:receive()
    local again = process.listen("topic")
    process.send(parent, "ready")
    return { first = first, closed = closed == nil and open == false, topic = message:topic(), second = message:payload():data(), third = again:receive() }
end

return { late = late, echo = echo, quick = quick, ordered = ordered, fall_through = fall_through }
