local time = require("time")

-- Sends `each` messages as fast as the receiver's mailbox takes them.
local function main(receiver, each)
    local go = process.listen("go")
    process.send(receiver, "ready")
    go:receive()

    local refused = 0
    local function send(topic, value)
        while true do
            local ok, err = process.send(receiver, topic, value)
            if ok then
                return
            end
            if not err:retryable() then
                error(err)
            end
            -- The mailbox is full: let the receiver run.
            refused = refused + 1
            time.sleep("1ms")
        end
    end
    for value = 1, each do
        send("value", value)
    end
    send("sent", refused)
end

return { main = main }
