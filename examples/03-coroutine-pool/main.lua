local io = require("io")
local time = require("time")

local POOL_SIZE = 3
local JOBS = 9

-- Coroutines share the memory of their process and talk through channels. No two of them run at the same time, so
-- nothing needs a lock; one that waits (for a channel, for time, for a call) lets the others go on.
local function serve(id, jobs, results)
    while true do
        local job, open = jobs:receive()
        if not open then
            return -- closed and drained: no more work
        end
        time.sleep(job.cost * time.MILLISECOND)
        results:send({ job = job.number, by = id, answer = job.number ^ 2 })
    end
end

local function main()
    local jobs = channel.new() -- hands over one job at a time
    local results = channel.new(JOBS) -- keeps results until somebody takes them

    for id = 1, POOL_SIZE do
        coroutine.spawn(serve, id, jobs, results)
    end

    coroutine.spawn(function()
        for number = 1, JOBS do
            jobs:send({ number = number, cost = 10 - number }) -- waits until one of the pool is free
        end
        jobs:close()
    end)

    -- Results arrive in the order in which they are ready; put them back into the order of the jobs.
    local answers, helpers = {}, {}
    for _ = 1, JOBS do
        local result = results:receive()
        answers[result.job] = string.format("%d", result.answer)
        helpers[result.by] = true
    end

    io.print("answers: " .. table.concat(answers, " "))
    io.print("coroutines that helped: " .. #helpers)
end

return { main = main }
