-- Ends the node, in the middle of whatever else runs.
local function quits(code)
    process.events()
    if code then
        return system.exit(tonumber(code))
    end
    local asked = process.listen("quit")
    process.registry.register("quitter")
    system.exit(asked:receive())
end

local function main(how)
    io.print("before")
    if how == "service" then
        while not process.send("quitter", "quit", 4) do
            require("time").sleep("1ms")
        end
    else
        system.exit(tonumber(how))
    end
    process.inbox():receive()
    io.print("never")
end

return { main = main, quits = quits }
