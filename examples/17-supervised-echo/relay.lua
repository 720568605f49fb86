-- Takes requests under the name of what it does, and starts a process for each of them.
local function main(name)
    assert(process.registry.register(name))
    local inbox, events = process.inbox(), process.events()
    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == events then
            local event = ready.value
            if event.kind == process.event.CANCEL then
                return
            end
            if event.result.error then
                -- The relay fails with its worker, and its supervisor starts a new one.
                error(event.result.error)
            end
        else
            local request = ready.value
            assert(process.spawn_monitored("app:worker", "app:processes", name, request:from(), request:payload():data()))
        end
    end
end

return { main = main }
