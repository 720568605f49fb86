local io = require("io")
local time = require("time")

-- Services start in their own time: wait until the name is there.
local function await_name(name)
    while true do
        local pid = process.registry.lookup(name)
        if pid then
            return pid
        end
        time.sleep("5ms")
    end
end

local function main(rounds)
    rounds = math.tointeger(rounds or 3)
    if not rounds then
        return nil, "rounds must be a whole number"
    end

    await_name("pong")
    local ping = await_name("ping")

    local scores = process.listen("score")
    process.send(ping, "play", rounds)
    io.print("pong was hit " .. scores:receive() .. " times in " .. rounds .. " rounds")
end

return { main = main }
