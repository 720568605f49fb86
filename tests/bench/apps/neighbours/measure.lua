-- A pair that sends a number to and fro, and a process that sleeps 10 ms again and again: how long a round trip takes, and how
-- late the sleeper wakes.
local time = require("time")

local function percentiles(seconds)
    table.sort(seconds)
    local count = #seconds
    local function at(part)
        return seconds[math.max(1, math.ceil(count * part))]
    end
    return { count = count, p50 = at(0.5), p99 = at(0.99), max = seconds[count] }
end

local function echo(peer)
    local pings = process.listen("ping")
    process.send(peer, "pong", 0)
    while true do
        process.send(peer, "pong", (pings:receive()))
    end
end

local function ticks(parent, milliseconds)
    local late = {}
    local before = time.now():unix_nano()
    local stop = before + milliseconds * 1000000
    while before < stop do
        time.sleep("10ms")
        local now = time.now():unix_nano()
        late[#late + 1] = (now - before) / 1e9 - 0.01
        before = now
    end
    process.send(parent, "ticks", percentiles(late))
end

local function main(milliseconds)
    local pongs, ticked = process.listen("pong"), process.listen("ticks")
    local peer = assert(process.spawn("app:echo", "app:processes", process.pid()))
    pongs:receive()
    assert(process.spawn("app:ticks", "app:ticking", process.pid(), milliseconds))
    local trips = {}
    local before = time.now():unix_nano()
    local stop = before + milliseconds * 1000000
    while before < stop do
        process.send(peer, "ping", 1)
        pongs:receive()
        local now = time.now():unix_nano()
        trips[#trips + 1] = (now - before) / 1e9
        before = now
    end
    local result = percentiles(trips)
    result.ticks = ticked:receive()
    return result
end

return { main = main, ticks = ticks, echo = echo }
