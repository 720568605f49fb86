local io = require("io")
local time = require("time")

local FIRST_DELAY = 10 -- milliseconds
local LONGEST_DELAY = 1000
local MOST_ATTEMPTS = 10

-- Runs one child to its end. A monitor turns the end of another process, good or bad, into an event.
local function run_child(attempt)
    local pid, err = process.spawn_monitored("app:flaky", "app:processes", attempt)
    if err then
        return nil, err
    end
    local events = process.events()
    while true do
        local event = events:receive()
        if event.kind == process.event.EXIT and event.from == pid then
            return event.result.value, event.result.error
        end
    end
end

local function main()
    local delay = FIRST_DELAY
    for attempt = 1, MOST_ATTEMPTS do
        local value, err = run_child(attempt)
        if not err then
            io.print("attempt " .. attempt .. ": " .. value)
            return
        end
        io.print("attempt " .. attempt .. ": " .. err:message() .. "; again in " .. delay .. " ms")
        time.sleep(delay * time.MILLISECOND)
        delay = math.min(delay * 2, LONGEST_DELAY)
    end
    return nil, "the child failed " .. MOST_ATTEMPTS .. " times"
end

return { main = main }
