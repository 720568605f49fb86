local io = require("io")
local time = require("time")

-- The script measures the memory whenever this waits for a line.
local function main(count)
    count = math.tointeger(count)
    local ready = process.listen("ready")
    io.print('{"standing": 0}')
    io.readline()

    local start = time.now()
    local waiting = 0
    for _ = 1, count do
        assert(process.spawn("app:idle", "app:processes", process.pid()))
        waiting = waiting + 1
        -- Not more at a time than a mailbox surely holds.
        while waiting >= 100 do
            ready:receive()
            waiting = waiting - 1
        end
    end
    for _ = 1, waiting do
        ready:receive()
    end
    io.print(string.format('{"standing": %d, "seconds": %.9f}', count, time.now():sub(start):seconds()))
    io.readline()
end

return { main = main }
