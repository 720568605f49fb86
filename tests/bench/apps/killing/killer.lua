local time = require("time")

-- Starts processes that never end, so many at a time, and ends each as soon as it runs.
local function main(count, together)
    local up, events = process.listen("up"), process.events()
    local start = time.now()
    local started, ended = 0, 0
    local function spawn()
        started = started + 1
        assert(process.spawn_monitored("app:hostile", "app:tenant", process.pid()))
    end
    for _ = 1, together do
        spawn()
    end
    while ended < count do
        local got = channel.select({ up:case_receive(), events:case_receive() })
        if got.channel == up then
            process.terminate(got.value)
        else
            ended = ended + 1
            if started < count then
                spawn()
            end
        end
    end
    return time.now():sub(start):seconds()
end

return { main = main }
