local answers = process.listen("answer")

-- Sends a request as soon as somebody has the name.
local function ask(name, text)
    while not process.send(name, "echo", text) do
        time.sleep("1ms")
    end
end

-- Waits until the process behind a name is another one.
local function wait_for_another(name, old)
    while true do
        local pid = process.registry.lookup(name)
        if pid and pid ~= old then
            return
        end
        time.sleep("1ms")
    end
end

local function main()
    ask("upper", "hello")
    io.print("upper: " .. answers:receive())
    ask("reverse", "hello")
    io.print("reverse: " .. answers:receive())

    local old = process.registry.lookup("upper")
    ask("upper", "")
    wait_for_another("upper", old)
    io.print("upper failed, and is back")

    ask("upper", "hello again")
    io.print("upper: " .. answers:receive())
end

return { main = main }
