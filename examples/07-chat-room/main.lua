local io = require("io")
local protocol = require("protocol")

local room: any
local screens: any
local members: {[string]: any} = {} -- nickname -> pid
local present = 0

local function await_screen(): protocol.Screen
    -- Called like a function, a type gives the value back, or raises if it is of another type.
    return protocol.Screen(screens:receive())
end

-- Messages of different senders may overtake each other. So that this script always prints the same, it waits until
-- everybody present has seen a line, and only then goes on.
local function await_line()
    local seen: {string}, line = {}, ""
    for _ = 1, present do
        local screen = await_screen()
        line = screen.line
        table.insert(seen, screen.nickname)
    end
    table.sort(seen)
    io.print(line .. "   [seen by " .. table.concat(seen, ", ") .. "]")
end

local function enter(nickname: string)
    members[nickname] = assert(process.spawn("app:member", "app:processes", nickname, room, process.pid()))
    present = present + 1
    await_line()
end

local function say(nickname: string, text: string)
    process.send(members[nickname], "type", text)
    await_line()
end

local function leave(nickname: string, how: string)
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
    -- Too long for the room, which tells only its author.
    process.send(members.eve, "type", string.rep("spam ", 50))
    local screen = await_screen()
    io.print(screen.line .. "   [seen by " .. screen.nickname .. "]")
    leave("eve", "/crash")
    leave("ada", "/leave")
    assert(process.cancel(room))
    await_line()
end

return { main = main }
