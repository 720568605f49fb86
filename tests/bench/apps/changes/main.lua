local io = require("io")
local time = require("time")
local registry = require("registry")

local function code(index)
    return {
        id = "app.made:f" .. index,
        kind = "function.lua",
        meta = { type = "tool", number = index },
        data = { source = ("return { main = function(n) return n + %d end }"):format(index), method = "main" },
    }
end

local function service(index)
    return {
        id = "app.services:s" .. index,
        kind = "process.service",
        data = { process = "app:waiter", host = "app:processes", lifecycle = { auto_start = true } },
    }
end

-- Applies so many new entries at once: functions, or services, which then are waited for.
local function main(what, count)
    count = math.tointeger(count)
    process.registry.register("main")
    local up = process.listen("up")
    local make = what == "services" and service or code
    local changes = registry.snapshot():changes()
    for index = 1, count do
        changes:create(make(index))
    end
    local start = time.now()
    assert(changes:apply())
    if what == "services" then
        for _ = 1, count do
            up:receive()
        end
    end
    io.print(string.format('{"seconds": %.9f}', time.now():sub(start):seconds()))
end

return { main = main }
