-- Runs the attacks of one group over and over, a few at a time, until it is stopped, and counts how they ended.
local time = require("time")
local groups = require("groups")

-- How an attack ended, in few words: counted by them, so there must not be many.
local function how(result)
    local err = result.error
    if not err then
        return "ok"
    end
    local details = err:details()
    local limit = type(details) == "table" and type(details.limit) == "string" and details.limit:match("^[%w_.]+$")
    return limit and "limit " .. limit:sub(1, 40) or "error " .. (err:kind():match("^%w+") or "of no kind"):sub(1, 20)
end

local function main(name, parent, victim)
    local group = groups[name]
    local host = name .. ":processes"
    local where = { victim = victim, driver = process.pid(), tenant = host, neighbours = "neighbour:processes" }
    local events, stop = process.events(), process.listen("stop")
    local running, count, started, stopped = {}, 0, 0, false
    local ends = {}

    local function take(got)
        if got.channel == stop then
            stopped = true
        elseif got.value.kind == process.event.EXIT and running[got.value.from] then
            running[got.value.from] = nil
            count = count - 1
            local word = how(got.value.result)
            ends[word] = (ends[word] or 0) + 1
        end
    end

    while not stopped or count > 0 do
        if not stopped and count < group.together then
            local attack = group.list[started % #group.list + 1]
            local pid = process.spawn_monitored(name .. ":" .. attack, host, nil, where)
            if pid then
                running[pid] = true
                count = count + 1
                started = started + 1
            else
                -- What earlier attacks have left behind fills the quota until its time is over.
                local pause = time.after("20ms")
                local got = channel.select({ events:case_receive(), stop:case_receive(), pause:case_receive() })
                if got.channel ~= pause then
                    take(got)
                end
            end
        else
            take(channel.select({ events:case_receive(), stop:case_receive() }))
        end
    end
    process.send(parent, "ended", { name = name, rounds = started / #group.list, ends = ends })
end

return { main = main }
