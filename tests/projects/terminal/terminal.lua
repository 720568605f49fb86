local function polite()
    local events = process.events()
    io.print("ready")
    local event = events:receive()
    io.print("asked to stop: " .. tostring(event.kind == process.event.CANCEL))
    return 5
end

local function stubborn()
    local events = process.events()
    io.print("ready")
    while true do
        events:receive()
        io.print("asked to stop, and stays")
    end
end

local function busy()
    io.print("ready")
    while true do
    end
end

-- Writes until that fails, and says by its result that it noticed.
local function writes()
    while true do
        local ok, err = io.print(string.rep("x", 1000))
        if not ok then
            return type(err) == "userdata" and 9 or 10
        end
    end
end

-- Does not look at errors.
local function writes_on()
    for _ = 1, 1000 do
        io.print(string.rep("x", 1000))
    end
end

local function asks()
    io.write("name: ")
    io.flush()
    io.print("hello " .. io.readline())
end

return { polite = polite, stubborn = stubborn, busy = busy, writes = writes, writes_on = writes_on, asks = asks }
