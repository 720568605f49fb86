-- Plays as many rounds against pong as somebody asks for, and reports the score.
local function play(rounds, pongs)
    local count = 0
    for _ = 1, rounds do
        process.send("pong", "ping", count)
        count = pongs:receive()
    end
    return count
end

local function main()
    local games = process.listen("play", { message = true })
    local pongs = process.listen("pong")
    local events = process.events()
    assert(process.registry.register("ping"))

    while true do
        local ready = channel.select({ games:case_receive(), events:case_receive() })
        if ready.channel == events then
            if ready.value.kind == process.event.CANCEL then
                return
            end
        else
            local message = ready.value
            local score = play(message:payload():data(), pongs)
            process.send(message:from(), "score", score)
        end
    end
end

return { main = main }
