local check = require("check")
local time = require("time")

local function start(count, host)
    local pids = {}
    for index = 1, count do
        local pid, err = process.spawn("shares:busy", host)
        check.is_nil(err)
        pids[index] = pid
    end
    return pids
end

local function stop(pids)
    for _, pid in ipairs(pids) do
        process.terminate(pid)
    end
end

-- CPU time of all these processes, in seconds.
local function cpu(pids)
    local sum = 0
    for _, pid in ipairs(pids) do
        sum = sum + process.stats(pid).cpu
    end
    return sum / 1e9
end

-- What two hosts get of the time in which the second one gets this much; both are busy all the while.
local function compare(one, two, seconds)
    local before_one, before_two = cpu(one), cpu(two)
    local got
    repeat
        time.sleep("10ms")
        got = cpu(two) - before_two
    until got >= seconds
    return cpu(one) - before_one, got
end

-- Other programs of the machine may spoil a measurement, and a share is one over time: asks again until the ratio is within
-- its bounds, a few times at most.
local function check_ratio(one, two, seconds, least, most)
    local ratio
    for _ = 1, 10 do
        local of_one, of_two = compare(one, two, seconds)
        ratio = of_one / of_two
        if ratio > least and ratio < most then
            return
        end
    end
    check.is_true(false, "the first host got " .. ratio .. " times what the second got, again and again")
end

check.case("a host with a thousand busy processes gets its share and no more", function()
    local storm = start(1000, "shares:storm")
    local calm = start(4, "shares:calm")
    check_ratio(storm, calm, 0.3, 0.6, 1.6)
    stop(storm)
    stop(calm)
end)

check.case("three times the weight is three times the time", function()
    local light = start(8, "shares:calm")
    local heavy = start(4, "shares:heavy")
    check_ratio(heavy, light, 1.2, 2, 4.5)
    stop(light)
    stop(heavy)
end)

check.case("a cap of CPU time holds also where nobody else wants it", function()
    local pids = start(4, "shares:capped")
    local begin = time.now()
    repeat
        time.sleep("10ms")
    until cpu(pids) >= 0.15
    local elapsed = time.now():sub(begin):seconds()
    local used = cpu(pids)
    stop(pids)
    -- A tenth of a second of its time is there at once, and each of the cores may be in the middle of a slice.
    check.is_true(used <= 0.2 * (elapsed + 0.1) + 0.05, used .. " seconds of CPU time in " .. elapsed)
end)

return { main = check.main }
