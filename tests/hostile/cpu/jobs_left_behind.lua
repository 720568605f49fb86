-- attack: processes that start a long job beside the workers and end, over and over
-- stopped by: a job has its place until it is over, asks whether somebody waits, and no host has all places
-- ends: ok
-- modules: text, funcs, time

local text = require("text")
local time = require("time")
local expect = require("expect")

local function texts()
    local a, b, seed = {}, {}, 7919
    for i = 1, 30000 do
        seed = (seed * 1103515245 + 12345) % 2147483648
        a[i] = string.char(97 + seed // 65536 % 20)
        seed = (seed * 1103515245 + 12345) % 2147483648
        b[i] = string.char(97 + seed // 65536 % 20)
    end
    return table.concat(a), table.concat(b)
end

local function main(role)
    if role == "leave" then
        local a, b = texts()
        coroutine.spawn(function() text.diff.new({ diff_timeout = 5 }):compare(a, b) end)
        time.sleep("10ms")
        return "left"
    end
    for _ = 1, 8 do
        local value, err = expect.outcome("tenant:jobs_left_behind", "tenant:processes", "leave")
        assert(value == "left" or err:kind() == "LimitExceeded", tostring(err))
    end
    -- Without that, this one waited for all of theirs.
    local start = time.now()
    text.regexp.compile("b"):match_string(("a"):rep(100000))
    local waited = time.now():sub(start):milliseconds()
    assert(waited < 5000, waited .. " ms")
    return true
end

return { main = main }
