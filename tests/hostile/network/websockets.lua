-- attack: websockets to the machine itself and to other servers
-- stopped by: allow.network, and private addresses that are granted by name only
-- ends: ok
-- modules: websocket

local websocket = require("websocket")
local expect = require("expect")

local function main()
    for _, target in ipairs({ "127.0.0.1:1", "localhost:1", "[::1]:1", "0:1", "10.0.0.1", "169.254.169.254", "example.com" }) do
        expect.refused("PermissionDenied", websocket.connect("ws://" .. target .. "/", { dial_timeout = "1s" }))
        expect.refused("PermissionDenied", websocket.connect("wss://" .. target .. "/", { dial_timeout = "1s" }))
    end
    return true
end

return { main = main }
