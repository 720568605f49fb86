local io = require("io")
local json = require("json")
local tty = require("tty")

local function start()
    assert(tty.start())
    assert(tty.mouse(true))
end

-- Shows events until `q` is pressed, and then reads a line as programs do without this module.
local function shows()
    start()
    local width, height = tty.screen_size()
    io.write(("size %dx%d\r\n"):format(width, height))
    local events, quit = tty.events(), tty.bind({ keys = { "q" } })
    repeat
        local event = events:receive()
        io.write("event " .. json.encode(event) .. "\r\n")
    until quit:matches(event)
    assert(tty.stop())
    io.print("stopped")
    io.print("read " .. io.readline())
    return 0
end

-- Ends without giving the terminal back.
local function fails()
    start()
    error("without tty.stop")
end

return { shows = shows, fails = fails }
