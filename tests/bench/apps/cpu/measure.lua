local time = require("time")

-- Runs a program several times and reports the shortest: the others were disturbed.
local function main(name, repetitions)
    local program = require(name)
    local best, result = math.huge, nil
    for _ = 1, repetitions do
        local start = time.now()
        result = program.run()
        best = math.min(best, time.now():sub(start):seconds())
    end
    return { seconds = best, result = tostring(result) }
end

return { main = main }
