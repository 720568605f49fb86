-- Lets its mailbox fill until it hears through a channel, then counts what was kept, in order.
local function stuck(go, parent)
    while true do
        local count = go:receive()
        if not count then
            return
        end
        local values = process.listen("value")
        local in_order = true
        for number = 1, count do
            local value = values:receive()
            in_order = in_order and (type(value) == "table" and value[1] or value) == number
        end
        process.unlisten(values)
        process.send(parent, "drained", in_order)
    end
end

-- Sends as fast as it can to somebody who reads slowly, waiting a little when the mailbox is full.
local function floods(to, count)
    local full = 0
    for number = 1, count do
        while true do
            local ok, err = process.send(to, "flood", number)
            if ok then
                break
            end
            assert(err:kind() == errors.RATE_LIMITED, err)
            full = full + 1
            time.sleep("1ms")
        end
    end
    return full
end

return { stuck = stuck, floods = floods }
