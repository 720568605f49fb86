-- Answers every ping with a pong, until it is asked to stop.
local function main()
    local pings = process.listen("ping", { message = true })
    local events = process.events()

    -- Register after `listen`: whoever finds the name finds a process that is ready.
    assert(process.registry.register("pong"))

    while true do
        local ready = channel.select({ pings:case_receive(), events:case_receive() })
        if ready.channel == events then
            if ready.value.kind == process.event.CANCEL then
                return
            end
        else
            local message = ready.value
            process.send(message:from(), "pong", message:payload():data() + 1)
        end
    end
end

return { main = main }
