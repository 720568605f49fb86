-- One client: it joins, says something, and leaves.
local function main()
    local inbox = process.inbox()
    local user = "nobody"
    while true do
        local msg = inbox:receive()
        local topic, data = msg:topic(), msg:payload():data()
        if topic == "ws.join" then
            user = data.metadata.user
            process.send(data.client_pid, "welcome", { user = user })
        elseif topic == "ws.message" then
            if data == "bye" then
                process.send(msg:from(), "ws.close", "goodbye, " .. user)
            else
                process.send(msg:from(), "echo", { from = user, text = data })
            end
        elseif topic == "ws.leave" then
            return
        end
    end
end

return { main = main }
