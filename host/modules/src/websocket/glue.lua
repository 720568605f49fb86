local native, kit = ...
local Client = {}
Client.__index, Client.__name, Client.__metatable = Client, "Client", false

for _, name in ipairs({ "send", "ping", "close" }) do
    Client[name] = function(self, ...)
        return self[1][name](self[1], ...)
    end
end

function Client:channel()
    return self[2]
end

Client.receive = Client.channel

local websocket = {}
for name, value in pairs(native) do
    if name ~= "prepare" then
        websocket[name] = value
    end
end

function websocket.connect(...)
    local prepared, topic = native.prepare()
    if not prepared then
        return nil, topic
    end
    local messages = kit.feed(topic)
    local client, err = native.connect(prepared, ...)
    if not client then
        return nil, err
    end
    return setmetatable({ client, messages }, Client)
end

return websocket
