-- What main.lua and measure.lua do, for the native interpreter: `lua5.4 native.lua PROGRAM REPETITIONS`.

local name, repetitions = arg[1], tonumber(arg[2])
local program = dofile((arg[0]:gsub("native%.lua$", "")) .. name .. ".lua")
local best, result = math.huge, nil
for _ = 1, repetitions do
    local start = os.clock()
    result = program.run()
    best = math.min(best, os.clock() - start)
end
print(string.format('{"seconds": %.9f, "result": "%s"}', best, result))
