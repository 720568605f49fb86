-- One member: joins the room, says what its owner types, and shows its owner what it hears.
local function main(nickname: string, room: string, owner: string)
    local lines = process.listen("line")
    local typed = process.listen("type")
    process.send(room, "request", { op = "join", nickname = nickname })

    while true do
        local ready = channel.select({ lines:case_receive(), typed:case_receive() })
        if ready.channel == lines then
            process.send(owner, "screen", { nickname = nickname, line = ready.value })
        elseif ready.value == "/leave" then
            return
        elseif ready.value == "/crash" then
            error("a fault in the client")
        else
            process.send(room, "request", { op = "say", text = ready.value })
        end
    end
end

return { main = main }
