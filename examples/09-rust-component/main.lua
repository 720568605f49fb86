local io = require("io")

local TEXT = {
    "a process is a value",
    "between two steps",
    "nothing of it lives on a stack",
}

local function main()
    local greetings = process.listen("greeting")
    local counted = process.listen("counted")
    local events = process.events()

    -- A channel in an argument or a message becomes one that both processes hold.
    local lines = channel.new()
    local pid = assert(process.spawn_monitored("app:counter", "app:processes", process.pid(), lines))

    -- Messages go both ways.
    process.send(pid, "greet", "Lua")
    io.print((greetings:receive()))

    -- Lua sends lines through the channel; Rust receives them and says what it counted.
    for _, line in ipairs(TEXT) do
        lines:send(line)
        local count = counted:receive()
        io.print(count.words .. " words: " .. count.line)
    end

    -- Closing the channel ends the other process; what it returns arrives with its exit.
    lines:close()
    local result = events:receive().result
    if result.error then
        return nil, result.error
    end
    io.print(result.value.words .. " words in " .. result.value.lines .. " lines")
end

return { main = main }
