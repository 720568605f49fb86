local function nothing(...)
    return ...
end

-- Sends everything back until it is told to stop.
local function echo()
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        if message:topic() == "stop" then
            return
        end
        process.send(message:from(), message:topic(), message:payload():data())
    end
end

return { nothing = nothing, echo = echo }
