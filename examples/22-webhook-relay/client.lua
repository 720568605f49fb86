local crypto = require("crypto")
local http = require("http")
local http_client = require("http_client")
local io = require("io")
local json = require("json")
local websocket = require("websocket")

local function main()
    local address = http.address("app:gateway")

    -- Connects, and waits until the session listens.
    local function listen(channel: string): any
        local client = assert(websocket.connect("ws://" .. address .. "/ws/" .. channel))
        local messages = client:channel()
        io.print(channel .. ": " .. messages:receive().data)
        return { client = client, messages = messages }
    end

    local function post(channel: string, event: any, secret: string)
        local body: string = type(event) == "string" and event or assert(json.encode(event))
        local headers = { ["X-Signature"] = crypto.hmac.sha256(secret, body) }
        local answer = assert(http_client.post("http://" .. address .. "/hooks/" .. channel, { body = body, headers = headers }))
        io.print("POST /hooks/" .. channel .. ": " .. answer.status_code .. " " .. answer.body)
    end

    local first, second, other = listen("builds"), listen("builds"), listen("orders")
    post("builds", { branch = "main", passed = true }, "not-so-secret")
    io.print("first: " .. first.messages:receive().data)
    io.print("second: " .. second.messages:receive().data)

    post("builds", { branch = "main", passed = false }, "a guess")
    post("builds", "{", "not-so-secret")
    post("orders", { id = 7 }, "not-so-secret")
    io.print("other: " .. other.messages:receive().data)

    for _, one in ipairs({ first, second, other }) do
        one.client:close()
    end
    post("nobody", "[]", "not-so-secret")
end

return { main = main }
