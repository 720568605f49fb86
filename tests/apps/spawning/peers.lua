local function adds(a, b)
    return a + b
end

local function fails()
    return nil, errors.new({ message = "not today", kind = errors.UNAVAILABLE, retryable = true })
end

local function obeys(parent)
    local events = process.events()
    process.send(parent, "ready", process.pid())
    return events:receive().kind
end

local function context(key)
    return { value = ctx.get(key), all = ctx.all(), missing = { ctx.get("no such key") } }
end

-- Shows what a child inherits without being given anything.
local function grandchild(key)
    return process.exec("spawning:context", "lib:processes", key)
end

local function named(parent)
    local inbox = process.inbox()
    process.send(parent, "named", process.pid())
    while true do
        local message = inbox:receive()
        if message:topic() == "stop" then
            return
        end
        process.send(parent, "heard", { topic = message:topic(), data = message:payload() and message:payload():data() })
    end
end

-- Waits for another process, so that its own end is the end of that one.
local function execs(parent)
    return process.exec("spawning:obeys", "lib:processes", parent)
end

return { adds = adds, fails = fails, obeys = obeys, context = context, grandchild = grandchild, named = named, execs = execs }
