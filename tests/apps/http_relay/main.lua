local check = require("check")
local http = require("http")
local http_client = require("http_client")
local json = require("json")
local websocket = require("websocket")

local address = http.address("gateway")
local inbox = process.inbox()

local function open(query, options)
    local url = "ws://" .. address .. "/socket?pid=" .. http_client.encode_uri(process.pid()) .. (query or "")
    local client, err = websocket.connect(url, options)
    if not client then
        error("cannot connect: " .. tostring(err), 2)
    end
    local join = check.receive(inbox)
    check.equal(join:topic(), "ws.join")
    local data = join:payload():data()
    check.equal(data.metadata, { user = "ann" })
    check.equal(join:from(), data.client_pid)
    return client, data.client_pid
end

local function left(pid)
    local leave = check.receive(inbox)
    check.equal(leave:topic(), "ws.leave")
    check.equal(leave:payload():data().client_pid, pid)
end

check.case("messages go both ways", function()
    local client, pid = open()
    check.is_true(client:send("hello"))
    local message = check.receive(inbox)
    check.equal(message:topic(), "ws.message")
    check.equal(message:payload():data(), "hello")
    check.equal(message:from(), pid)
    check.is_true(client:send("\0\255", websocket.BINARY))
    check.equal(check.receive(inbox):payload():data(), "\0\255")
    process.send(pid, "update", { n = 1 })
    process.send(pid, "bytes", "\255")
    local channel = client:channel()
    check.equal(client:receive(), channel)
    local got = check.receive(channel)
    check.equal(got.type, "text")
    check.equal(json.decode(got.data), { topic = "update", data = { n = 1 } })
    check.equal(json.decode(check.receive(channel).data), { topic = "bytes", data = "/w==" })
    check.is_true(client:ping())
    check.is_true(client:close())
    left(pid)
    check.is_true(client:close())
    check.fails("Internal", client:send("late"))
end)

check.case("a connection is a process: it is monitored, and ends with a message", function()
    local client, pid = open("&topic=custom")
    check.is_true(process.monitor(pid))
    client:send("hi")
    check.equal(check.receive(inbox):topic(), "custom")
    process.send(pid, "ws.close", "enough")
    left(pid)
    check.event(process.event.EXIT, pid)
    local _, ok = check.receive(client:channel())
    check.equal(ok, false)
    check.fails("NotFound", process.send(pid, "update", 1))
end)

check.case("a server need not choose one of the protocols that it is offered", function()
    local client, pid = open("", { protocols = { "graphql-ws", "other" }, dial_timeout = "5s" })
    check.is_true(client:send("hello"))
    check.equal(check.receive(inbox):payload():data(), "hello")
    check.is_true(client:close())
    left(pid)
end)

check.case("a terminated connection is closed", function()
    local client, pid = open()
    check.is_true(process.terminate(pid))
    local _, ok = check.receive(client:channel())
    check.equal(ok, false)
    left(pid)
end)

check.case("a path that relays speaks WebSocket only", function()
    local resp = http_client.get("http://" .. address .. "/socket?pid=" .. http_client.encode_uri(process.pid()))
    check.equal(resp.status_code, 426)
    check.fails("Internal", websocket.connect("ws://" .. address .. "/nothing"))
    check.fails("Invalid", websocket.connect("http://" .. address .. "/socket"))
end)

check.case("another page may not open a connection", function()
    local client, err = websocket.connect("ws://" .. address .. "/socket?pid=x", { headers = { Origin = "https://evil.com" } })
    check.fails("Internal", client, err)
    check.contains(err:message(), "403")
end)

check.case("a stream of events is a process, too", function()
    local url = "http://" .. address .. "/stream?pid=" .. http_client.encode_uri(process.pid())
    local resp = http_client.get(url, { stream = true })
    check.equal(resp.headers["Content-Type"], "text/event-stream")
    check.equal(resp.body_size, -1)
    local join = check.receive(inbox)
    check.equal(join:topic(), "sse.join")
    local pid = join:payload():data().client_pid
    process.send(pid, "sse.message", { n = 1 })
    process.send(pid, "other", "is not sent on")
    process.send(pid, "sse.close", "done")
    local text = ""
    while true do
        local chunk, err = resp.stream:read()
        check.is_nil(err)
        if not chunk then
            break
        end
        text = text .. chunk
    end
    check.equal(text, 'event: sse.message\ndata: {"n":1}\n\n')
    check.equal(check.receive(inbox):topic(), "sse.leave")
end)

check.case("a stream without a target says how to reach it", function()
    local resp = http_client.get("http://" .. address .. "/stream", { stream = true })
    local scanner = resp.stream:scanner("lines")
    check.is_true(scanner:scan())
    check.equal(scanner:text(), "event: ready")
    check.is_true(scanner:scan())
    local ready = json.decode(string.sub(scanner:text(), 7))
    check.equal(ready.message_topic, "sse.message")
    process.send(ready.stream_pid, "sse.control", { target_pid = process.pid() })
    check.equal(check.receive(inbox):topic(), "sse.join")
    resp.stream:close()
    check.equal(check.receive(inbox):topic(), "sse.leave")
end)

local function victim(name)
    local pid = process.spawn_monitored("http_relay_outside:victim", "http_relay_outside:processes", name)
    process.send(pid, "ready")
    check.equal(check.receive(inbox):topic(), "ready")
    return pid
end

-- Nothing reached the victim; whatever was sent before `stop` comes before it.
local function untouched(pid)
    process.send(pid, "stop")
    check.equal(check.event(process.event.EXIT, pid).result.value, {})
end

local function stream_to(path, to)
    return http_client.get("http://" .. address .. path .. "?pid=" .. http_client.encode_uri(to), { stream = true })
end

check.case("a relay reaches no process that its function may not reach", function()
    local pid = victim("relay.victim")
    for _, path in ipairs({ "/confined/stream", "/judged/stream" }) do
        check.equal(stream_to(path, pid).status_code, 500, path)
        check.equal(stream_to(path, "relay.victim").status_code, 500, path)
    end
    local url = "ws://" .. address .. "/confined/socket?topic=admin&pid=" .. http_client.encode_uri(pid)
    check.fails("Internal", websocket.connect(url))
    -- One that is confined still reaches its own namespace.
    local resp = stream_to("/confined/stream", process.pid())
    check.equal(resp.status_code, 200)
    check.equal(check.receive(inbox):topic(), "sse.join")
    resp.stream:close()
    check.equal(check.receive(inbox):topic(), "sse.leave")
    untouched(pid)
end)

check.case("a relay does not go over to a process that its function may not reach", function()
    local pid = victim("relay.victim")
    for _, path in ipairs({ "/confined/stream", "/judged/stream" }) do
        local resp = stream_to(path, process.pid())
        local relay = check.receive(inbox):from()
        process.send(relay, "sse.control", { target_pid = pid, message_topic = "admin" })
        check.equal(check.receive(inbox):topic(), "sse.leave", path)
        process.send(relay, "sse.close")
        resp.stream:close()
    end
    local url = "ws://" .. address .. "/confined/socket?pid=" .. http_client.encode_uri(process.pid())
    local client = websocket.connect(url)
    local relay = check.receive(inbox):from()
    process.send(relay, "ws.control", { target_pid = "relay.victim", message_topic = "admin" })
    check.equal(check.receive(inbox):topic(), "ws.leave")
    local _, ok = check.receive(client:channel())
    check.equal(ok, false)
    untouched(pid)
end)

return { main = check.main }
