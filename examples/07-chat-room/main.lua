local io = require("io")

local room
local screens
local members = {} -- nickname -> pid
local present = 0

-- Messages of different senders may overtake each other. So that this script always prints the same, it waits until
-- everybody present has seen a line, and only then goes on.
local function await_line()
    local seen, line = {}, nil
    for _ = 1, present do
        local screen = screens:receive()
        line = screen.line
        table.insert(seen, screen.nickname)
    end
    table.sort(seen)
    io.print(line .. "   [seen by " .. table.concat(seen, ", ") .. "]")
end

local function enter(nickname)
    members[nickname] = assert(process.spawn("app:member", "app:processes", nickname, room, process.pid()))
    present = present + 1
    await_line()
end

local function say(nickname, text)
    process.send(members[nickname], "type", text)
    await_line()
end

local function leave(nickname, how)
    process.send(members[nickname], "type", how)
    present = present - 1
    await_line()
end

local function main()
    screens = process.listen("screen")
    room = assert(process.spawn("app:room", "app:processes"))

    enter("ada")
    enter("bob")
    say("ada", "is anybody here?")
    enter("eve")
    say("bob", "all of us")
    leave("eve", "/crash")
    leave("ada", "/leave")
    process.cancel(room)
    await_line()
end

return { main = main }
