-- A process that relays of a tenant must not reach: gives what reached it until it is told to stop.
local function main(name)
    process.registry.register(name)
    local inbox = process.inbox()
    local reached = {}
    while true do
        local message = inbox:receive()
        if message:topic() == "stop" then
            return reached
        elseif message:topic() == "ready" then
            process.send(message:from(), "ready")
        else
            table.insert(reached, message:topic())
        end
    end
end

return { main = main }
