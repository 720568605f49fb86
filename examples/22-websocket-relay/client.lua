local http = require("http")
local io = require("io")
local json = require("json")
local websocket = require("websocket")

local function main()
    local client, err = websocket.connect("ws://" .. http.address("app:gateway") .. "/ws/echo?user=ann")
    if err then
        error(err)
    end
    local messages = client:channel()
    local function next_message()
        local msg = messages:receive()
        local content = json.decode(msg.data)
        io.print(content.topic .. ": " .. json.encode(content.data))
    end

    next_message()
    client:send("hello")
    next_message()
    client:send("bye")
    local _, open = messages:receive()
    io.print("open: " .. tostring(open))
end

return { main = main }
