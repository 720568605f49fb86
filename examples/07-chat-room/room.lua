-- The room knows its members by pid and passes on what they say. It monitors them, so that one who ends in any way,
-- even by a fault, leaves the room.
local protocol = require("protocol")

local members: {[string]: string} = {} -- pid -> nickname

local function tell_everyone(line: string)
    for pid in pairs(members) do
        process.send(pid, "line", line)
    end
end

local function serve(pid: string, request: protocol.Request)
    local nickname = members[pid]
    if request.op == "join" then
        members[pid] = request.nickname
        assert(process.monitor(pid))
        tell_everyone("* " .. request.nickname .. " joins")
    elseif nickname then
        tell_everyone(nickname .. ": " .. request.text)
    end
end

local function main()
    local inbox = process.inbox()
    local events = process.events()

    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == inbox then
            local message = ready.value
            -- Anybody may send anything, so a message is only trusted once its type has said yes.
            local request, problem = protocol.Request:is(message:payload():data())
            if request then
                serve(message:from(), request)
            else
                process.send(message:from(), "line", "(the room does not understand: " .. tostring(problem) .. ")")
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
