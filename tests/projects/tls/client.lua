local fs = require("fs")
local http = require("http")
local http_client = require("http_client")
local io = require("io")

local files = assert(fs.get("app:certificates"))

local function pem(name)
    return assert(files:readfile(name .. ".pem"))
end

local function key(name)
    return assert(files:readfile(name .. ".key"))
end

local function url(server, host, path)
    local port = http.address("app:" .. server):match(":(%d+)$")
    return "https://" .. host .. ":" .. port .. (path or "/hello")
end

local function say(what, answer, err)
    if err then
        io.print(what .. ": " .. err:kind() .. ": " .. err:message():gsub(":%d+", ""))
    else
        io.print(what .. ": " .. answer.status_code .. " " .. answer.body)
    end
end

local function ask(what, server, host, tls)
    say(what, http_client.get(url(server, host), { tls = tls, timeout = "20s" }))
end

local function main()
    local ca = pem("ca")
    local client = { ca = ca, cert = pem("client"), key = key("client") }
    local stranger = { ca = ca, cert = pem("stranger"), key = key("stranger") }

    ask("an authority of our own", "secure", "localhost", { ca = ca })
    ask("the usual authorities", "secure", "localhost")
    ask("another authority", "secure", "localhost", { ca = pem("other") })
    ask("another name", "secure", "127.0.0.1", { ca = ca })
    ask("the name said", "secure", "127.0.0.1", { ca = ca, server_name = "localhost" })
    ask("nothing looked at", "secure", "127.0.0.1", { insecure_skip_verify = true })
    ask("a certificate without its key", "secure", "localhost", { ca = ca, cert = client.cert })
    ask("a key that is none", "secure", "localhost", { ca = ca, cert = client.cert, key = "x" })
    ask("an authority that is none", "secure", "localhost", { ca = "x" })

    ask("mutual, with a certificate", "mutual", "localhost", client)
    ask("mutual, with none", "mutual", "localhost", { ca = ca })
    ask("mutual, with a stranger's", "mutual", "localhost", stranger)
    ask("if given, with a certificate", "given", "localhost", client)
    ask("if given, with none", "given", "localhost", { ca = ca })
    ask("if given, with a stranger's", "given", "localhost", stranger)
    ask("any, with a stranger's", "any", "localhost", stranger)
    ask("any, with none", "any", "localhost", { ca = ca })
end

local function socket(path)
    say("by a socket", http_client.get("http://anything/path?x=1", { unix_socket = path, timeout = "20s" }))
    say("by none", http_client.get("http://anything/", { unix_socket = path .. ".none" }))
end

local function bound()
    ask("looked at", "secure", "localhost", { ca = pem("ca") })
    ask("not looked at", "secure", "localhost", { insecure_skip_verify = true })
    local away = url("secure", "localhost", "/away")
    say("led away and looked at", http_client.get(away, { tls = { ca = pem("ca") } }))
    say("led away and not looked at", http_client.get(away, { tls = { insecure_skip_verify = true } }))
    say("by a socket", http_client.get("http://anything/", { unix_socket = "/nowhere" }))
end

local function address()
    process.registry.register("watcher")
    local asked, begun, events = process.listen("watch"), process.listen("begun"), process.events()
    io.print("port " .. http.address("app:secure"):match(":(%d+)$") .. ";")
    while true do
        local ready = channel.select({ asked:case_receive(), begun:case_receive(), events:case_receive() })
        if ready.channel == asked then
            process.monitor(ready.value)
            process.send(ready.value, "watched", true)
        elseif ready.channel == begun then
            io.print("slow has begun;")
        elseif ready.value.kind == process.event.CANCEL then
            return
        else
            local err = ready.value.result and ready.value.result.error
            io.print("the call ended: " .. (err and tostring(err) or "well"))
        end
    end
end

return { main = main, socket = socket, bound = bound, address = address }
