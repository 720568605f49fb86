-- attack: a receiver that hears requests to stop without end
-- stopped by: limits.mailbox_bytes, and memory that signals may not fill
-- ends: ok
-- limits: { memory: 3MB, mailbox_bytes: 512KB, wall_time: 6s }

local time = require("time")

local function deaf(driver)
    local inbox, topic = process.inbox(), process.listen("topic")
    process.send(driver, "ready", true)
    for _ = 1, 150 do
        time.sleep("2ms")
    end
    -- It was flooded, and now reads what it has.
    local count = 0
    while true do
        local got = channel.select({ inbox:case_receive(), topic:case_receive(), default = true })
        if got.default then
            return count
        end
        count = count + 1
    end
end

local function main(role, driver)
    if role then
        return deaf(driver)
    end
    local ready, events = process.listen("ready"), process.events()
    for _, topic in ipairs({ "topic", "other" }) do
        local pid = assert(process.spawn_monitored("tenant:slow_receiver_of_cancels", "tenant:processes", "deaf", process.pid()))
        ready:receive()
        local refused = 0
        repeat
            local ok, err = process.cancel(pid, ("x"):rep(4000))
            if not ok then
                refused = refused + 1
                assert(err:kind() == "RateLimited" or err:kind() == "NotFound", tostring(err))
                time.sleep("1ms")
            end
        until not ok and err:kind() == "NotFound"
        local result = events:receive().result
        assert(not result.error, tostring(result.error))
        assert(result.value == 0)
    end
    return true
end

return { main = main }
