local funcs = require("funcs")
local http = require("http")
local http_client = require("http_client")
local io = require("io")

local function hello()
    http.response():write("hello")
end

-- Asks for a page, and gives its text or what went wrong.
local function fetch(url, options)
    local response, err = http_client.get(url, options)
    return response and response.body or err:kind() .. " " .. err:message()
end

-- Asks through another function, with the network that it says.
local function below(url, network)
    return funcs.new():with_options({ network = network }):call("app:fetch", url)
end

local function through(network)
    return funcs.new():with_options({ network = network })
end

-- Says nothing about networks.
local function plain()
    io.print(fetch("http://shop.example:" .. http.address("gateway"):match(":(%d+)$") .. "/"))
    return 0
end

local function main()
    local port = http.address("gateway"):match(":(%d+)$")
    local shop, direct = "http://shop.example:" .. port .. "/", "http://127.0.0.1:" .. port .. "/"
    io.print("direct", fetch(direct))
    io.print("chosen", fetch(shop, { overlay_network = "app:proxy" }))
    io.print("again", fetch(shop, { overlay_network = "proxy" }))
    io.print("function", through("app:proxy"):call("app:fetch", shop))
    io.print("below", through("app:proxy"):call("app:below", shop))
    io.print("cleared", through("app:proxy"):call("app:below", direct, ""))
    local pid = assert(process.with_options({ network = "app:proxy" }):spawn_monitored("app:job", "app:processes", shop))
    local event = process.events():receive()
    io.print("process", event.from == pid and event.result.value)
    io.print("isolated", fetch(shop, { overlay_network = "app:isolated" }))
    io.print("isolated", fetch(shop, { overlay_network = "app:isolated" }))
    io.print("refused", fetch("http://closed.example/", { overlay_network = "app:proxy" }))
    io.print("stranger", fetch(shop, { overlay_network = "app:stranger" }))
    io.print("nowhere", fetch(shop, { overlay_network = "app:nowhere" }))
    io.print("disguised", fetch("http://127.1/", { overlay_network = "app:proxy" }))
    io.print("no network", fetch(shop, { overlay_network = "app:hello" }))
    local _, err = through("app:hello"):call("app:fetch", shop)
    io.print("no network", err:kind())
    io.print("inside", (http.address("inside")))
    return 0
end

return { main = main, plain = plain, fetch = fetch, below = below, hello = hello }
