local io = require("io")
local time = require("time")

-- The script measures the memory whenever this waits for a line.
local function main(count, interval)
    count = math.tointeger(count)
    local ticked = process.listen("ticked")
    io.print('{"standing": 0}')
    io.readline()

    local start = time.now()
    local waiting = 0
    for _ = 1, count do
        assert(process.spawn("app:ticking", "app:processes", process.pid(), interval))
        waiting = waiting + 1
        -- A process reports only after an interval: so many may tick at once, but not more than a mailbox surely holds.
        while waiting >= 1000 do
            ticked:receive()
            waiting = waiting - 1
        end
    end
    for _ = 1, waiting do
        ticked:receive()
    end
    io.print(string.format('{"standing": %d, "seconds": %.9f}', count, time.now():sub(start):seconds()))
    io.readline()
end

return { main = main }
