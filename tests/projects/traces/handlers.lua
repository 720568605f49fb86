local funcs = require("funcs")
local http = require("http")
local http_client = require("http_client")
local logger = require("logger")
local metrics = require("metrics")
local queue = require("queue")

-- One order: a call, a message in a queue, a number and a line in the log.
local function order()
    local id = http.request():param("id")
    local price = assert(funcs.call("app:price", id))
    assert(queue.publish("app:orders", { id = id }))
    metrics.counter_inc("orders_total", { kind = "plain" })
    logger:info("ordered", { id = id, price = price, lines = { "one", "two" } })
    http.response():write("ordered " .. id)
end

local function price()
    return 42
end

local function pack(message)
    assert(process.send("ledger", "packed", message.id))
end

-- Asks another server, and tells what it said.
local function out()
    local port = http.request():param("port")
    local answer = assert(http_client.get("http://127.0.0.1:" .. port .. "/there?secret=1"))
    http.response():write(answer.body)
end

return { order = order, price = price, pack = pack, out = out }
