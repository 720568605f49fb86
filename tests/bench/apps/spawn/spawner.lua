local time = require("time")

-- Starts `count` processes and sees each of them end; at most `window` are alive at a time.
local function main(count, window)
    local events = process.events()
    local start = time.now()
    local started, alive = 0, 0
    while started < count or alive > 0 do
        if started < count and alive < window then
            assert(process.spawn_monitored("app:child", "app:processes"))
            started = started + 1
            alive = alive + 1
        else
            local result = events:receive().result
            if result.error then
                return nil, result.error
            end
            alive = alive - 1
        end
    end
    return time.now():sub(start):seconds()
end

return { main = main }
