-- attack: results of several processes that none of them takes
-- stopped by: quota.mailbox_bytes, to which results are charged that were not taken
-- ends: ok

local funcs = require("funcs")
local expect = require("expect")

-- Calls, waits in the middle of its step until all calls have ended, and says how many of their results the node still had.
local function hoard()
    local futures = {}
    for number = 1, 3 do
        futures[number] = assert(funcs.async("tenant:echo", ("x"):rep(900000)))
    end
    while process.stats().children > 0 do end
    local got = 0
    for _, future in ipairs(futures) do
        future:response():receive()
        local value, err = future:result()
        if value ~= nil then
            got = got + 1
        else
            expect.refused("RateLimited", nil, err)
        end
    end
    return got
end

local function main(role)
    if role == "hoard" then
        return hoard()
    end
    local events, got = process.events(), 0
    for _ = 1, 4 do
        assert(process.spawn_monitored("tenant:results", "tenant:processes", "hoard"))
    end
    for _ = 1, 4 do
        local result = events:receive().result
        assert(not result.error, tostring(result.error))
        got = got + result.value
    end
    assert(got < 12, "everything was kept")
    return true
end

return { main = main }
