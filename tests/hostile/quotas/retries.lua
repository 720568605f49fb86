-- attack: calls that fail and wait to be repeated, each with large arguments that the node keeps meanwhile
-- stopped by: quota.memory, to which the arguments of a call that may be repeated are charged
-- ends: ok

local funcs = require("funcs")
local time = require("time")

local function main()
    local body = ("x"):rep(3900000)
    local caller = funcs.new():with_options({ retry = { max_attempts = 3, initial_delay = "1h" } })
    local waiting, refused = {}, nil
    while not refused and #waiting < 60 do
        local future, err = caller:async("tenant:retries_function", body)
        -- One at a time, so that only what waits for its repetition is left.
        while future and process.stats().children > 0 do
            time.sleep("1ms")
        end
        if future and future:is_complete() then
            -- It was the memory of the callee for which there was no room.
            _, err = future:result()
        end
        refused = err
        waiting[#waiting + 1] = future
    end
    assert(refused and refused:kind() == "LimitExceeded", tostring(refused))
    assert(refused:details().limit == "quota.memory", refused:message())
    assert(#waiting < 40, #waiting)
    return true
end

-- As a function it fails.
local function start(role)
    if role then
        return nil, errors.new({ kind = "Unavailable", message = "not now", retryable = true })
    end
    return main()
end

return { main = start }
