-- attack: documents that are none, in every place that takes one
-- stopped by: the decoders of the host and of the guest
-- ends: ok

local function main(role, where)
    local expect = require("expect")
    if role == "peer" then
        local inbox, seen = process.inbox(), 0
        while true do
            local message = inbox:receive()
            if message:topic() == "count" then
                return seen
            end
            seen = seen + 1
            pcall(function()
                local payload = message:payload()
                for index = 1, #payload do
                    payload[index]:data()
                end
                return payload:data()
            end)
        end
    end
    local peer = assert(process.spawn_monitored("tenant:documents", "tenant:processes", "peer"))
    local breaches, err = expect.outcome("tenant:intruder", "tenant:processes", "documents", peer)
    assert(not err, tostring(err))
    assert(#breaches == 0, table.concat(breaches, "; "))
    assert(process.send(peer, "count"))
    local event = process.events():receive()
    assert(event.from == peer and not event.result.error, tostring(event.result.error))
    assert(event.result.value > 100, event.result.value)
    return true
end

return { main = main }
