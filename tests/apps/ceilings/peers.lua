-- Starts an entry on a host and gives what it came to.
local function spawn_on(entry, host, ...)
    local pid, err = process.spawn_monitored(entry, host, ...)
    if not pid then
        return { kind = err:kind(), message = tostring(err) }
    end
    local event = process.events():receive()
    return { value = event.result.value, message = event.result.error and tostring(event.result.error) }
end

local function call(entry, ...)
    local value, err = require("funcs").call(entry, ...)
    if err then
        return { kind = err:kind(), message = tostring(err) }
    end
    return { value = value }
end

-- Which modules there are.
local function modules()
    return { json = pcall(require, "json"), funcs = pcall(require, "funcs") }
end

local function where()
    return process.pid()
end

-- What a process of the tenant gets when it reaches for something outside.
local function reach(pid, name)
    local results = {}
    local function try(act, ok, err)
        results[act] = ok and "done" or err:kind()
    end
    try("send", process.send(pid, "topic", 1))
    try("send_by_name", process.send(name, "topic", 1))
    try("lookup", process.registry.lookup(name))
    try("unregister", process.registry.unregister(name))
    try("register", process.registry.register("stolen", pid))
    try("link", process.link(pid))
    try("monitor", process.monitor(pid))
    try("cancel", process.cancel(pid))
    try("terminate", process.terminate(pid))
    try("spawn", process.spawn("lib:nothing", "ceilings:tenant"))
    try("host", process.spawn("ceilings:where", "lib:processes"))
    try("first_message", process.with_context({}):with_name(name):with_message("topic", 1):spawn("ceilings:named", "ceilings:tenant"))
    return results
end

local function named()
    process.inbox():receive()
end

-- What a process of the tenant reads of templates and contracts, its own and those of others.
local function read()
    local set = require("templates").get("pages")
    local contract = require("contract")
    local greeting = contract.get("ceilings:greeting")
    local function kind(value, err)
        return value and tostring(value) or err:kind()
    end
    return {
        own = kind(set:render("own_page", {})),
        joined = kind(set:render("page", {})),
        implementations = contract.find_implementations("ceilings:greeting"),
        default = kind(greeting:open()),
        named = kind(greeting:open("ceilings_outside:greeter")),
    }
end

return { read = read, spawn_on = spawn_on, call = call, modules = modules, where = where, reach = reach, named = named }
