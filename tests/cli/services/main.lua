local function main()
    local started = process.listen("started")
    process.registry.register("counter")

    local counts, order = {}, { "crashing", "final", "normal", "never" }
    for _ = 1, 5 do
        local message = started:receive()
        counts[message.name] = (counts[message.name] or 0) + 1
        assert(math.type(message.number) == "integer")
    end
    for _, name in ipairs(order) do
        io.print(name .. ": " .. (counts[name] or 0))
    end

    -- Further starts would be due long before.
    local limit = time.after("150ms")
    local ready = channel.select({ started:case_receive(), limit:case_receive() })
    if ready.channel == started then
        return nil, ready.value.name .. " was started once more"
    end
end

return { main = main }
