-- Sends back what it gets.
local function mirror(parent)
    local values = process.listen("value", { message = true })
    while true do
        local message = values:receive()
        process.send(parent, "mirrored", message:payload():data())
    end
end

-- Sends numbers through a channel that it was given, and closes it.
local function feeds(ch, count)
    for number = 1, count do
        ch:send(number)
    end
    ch:close()
    return "fed"
end

-- Receives from a channel until it is closed.
local function drains(ch)
    local sum, count = 0, 0
    while true do
        local value, ok = ch:receive()
        if not ok then
            return { sum = sum, count = count }
        end
        sum, count = sum + value, count + 1
    end
end

local function holds(ch, parent)
    process.send(parent, "holds")
    process.listen("never"):receive()
    return ch
end

-- Passes values from one channel to another, both from outside.
local function relay(from, to)
    while true do
        local ready = channel.select({ from:case_receive() })
        if not ready.ok then
            to:close()
            return
        end
        channel.select({ to:case_send(ready.value * 2) })
    end
end

return { mirror = mirror, feeds = feeds, drains = drains, holds = holds, relay = relay }
