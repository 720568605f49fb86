-- A process of another namespace: gives what reached it until it is told to stop.
local function main(name)
    process.registry.register(name)
    local inbox = process.inbox()
    local reached = {}
    while true do
        local ready = channel.select({ inbox:case_receive(), process.events():case_receive() })
        local what = ready.channel == inbox and ready.value:topic() or ready.value.kind
        if what == "stop" then
            return reached
        end
        table.insert(reached, what)
        if what == "ready" then
            process.send(ready.value:from(), "ready")
        end
    end
end

return { main = main }
