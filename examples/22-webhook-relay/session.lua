local pg = require("pg")

-- One client that listens: the session joins the group of its channel, and passes on what comes there.
local function main(channel: string)
    local inbox = process.inbox()
    local listeners = assert(pg.open("app:listeners"))
    local client: any = nil
    while true do
        local msg = inbox:receive()
        local topic, data = msg:topic(), msg:payload():data()
        if topic == "ws.join" then
            client = data.client_pid
            assert(listeners:join(channel))
            process.send(client, "listening", channel)
        elseif topic == "hook" then
            process.send(client, "hook", data)
        elseif topic == "ws.leave" then
            -- Whoever ends leaves its groups.
            return
        end
    end
end

return { main = main }
