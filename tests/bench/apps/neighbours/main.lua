local io = require("io")

-- The attacks to run, by name; each on a host of its own.
local function main(milliseconds, ...)
    for _, name in ipairs({ ... }) do
        assert(process.spawn("app:" .. name, "app:tenant_" .. name))
    end
    local got, err = process.exec("app:measure", "app:processes", math.tointeger(milliseconds))
    if err then
        return nil, err
    end
    local ticks = got.ticks
    io.print(string.format(
        '{"trips": %d, "p50": %.9f, "p99": %.9f, "max": %.9f, "ticks": %d, "late50": %.9f, "late99": %.9f, "latest": %.9f}',
        got.count, got.p50, got.p99, got.max, ticks.count, ticks.p50, ticks.p99, ticks.max
    ))
end

return { main = main }
