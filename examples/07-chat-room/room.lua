-- The room knows its members by pid and passes on what they say. It monitors them, so that one who ends in any way,
-- even by a fault, leaves the room.
local function main()
    local members = {} -- pid -> nickname
    local inbox = process.inbox()
    local events = process.events()

    local function tell_everyone(line)
        for pid in pairs(members) do
            process.send(pid, "line", line)
        end
    end

    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == inbox then
            local message = ready.value
            local pid, text = message:from(), message:payload():data()
            if message:topic() == "join" then
                members[pid] = text
                process.monitor(pid)
                tell_everyone("* " .. text .. " joins")
            elseif message:topic() == "say" and members[pid] then
                tell_everyone(members[pid] .. ": " .. text)
            end
        elseif ready.value.kind == process.event.EXIT then
            local event = ready.value
            local nickname = members[event.from]
            members[event.from] = nil
            if event.result.error then
                tell_everyone("* " .. nickname .. " is gone: " .. event.result.error:message())
            else
                tell_everyone("* " .. nickname .. " leaves")
            end
        elseif ready.value.kind == process.event.CANCEL then
            tell_everyone("* the room closes")
            return
        end
    end
end

return { main = main }
