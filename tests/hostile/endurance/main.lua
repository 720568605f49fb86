-- Starts the neighbours and, when it is told so, the attacks; answers whoever runs it in lines of JSON:
-- it writes `ready`, reads `go`, and from then on answers `report` and `stop`; after `stop` it waits for one more line.
local io = require("io")
local json = require("json")
local time = require("time")
local groups = require("groups")

-- What neighbours and groups must answer within, also on a busy machine.
local PATIENCE = "120s"

local function await(ch, what)
    local timer = time.timer(PATIENCE)
    local limit = timer:response()
    local got = channel.select({ ch:case_receive(), limit:case_receive() })
    timer:stop()
    if got.channel == limit then
        error(what .. " did not answer within " .. PATIENCE)
    end
    return got.value
end

local function main()
    local ready, answers, ticks, ended = process.listen("ready"), process.listen("answer"), process.listen("ticks"), process.listen("ended")
    local victim = assert(process.spawn("neighbour:victim", "neighbour:processes", process.pid()))
    local pair = assert(process.spawn_linked("neighbour:ping", "neighbour:processes", process.pid()))
    local ticker = assert(process.spawn_linked("endurance:ticker", "endurance:processes", process.pid()))
    for _ = 1, 3 do
        await(ready, "a neighbour")
    end

    -- What the neighbours counted since the start.
    local function report(total)
        assert(process.send(pair, "report", process.pid()))
        assert(process.send(ticker, "report"))
        local trips, ticked = await(answers, "the pair"), await(ticks, "the ticker")
        total.trips, total.lost, total.ticks, total.latest = trips.trips, trips.lost, ticked.count, ticked.latest
        return total
    end

    io.print("ready")
    assert(io.readline())
    local drivers = {}
    for name in pairs(groups) do
        drivers[name] = assert(process.spawn_linked("endurance:group", "endurance:processes", name, process.pid(), victim))
    end
    while (assert(io.readline())):find("report", 1, true) do
        io.print(json.encode(report({})))
    end

    -- Attacks that run are awaited: each group has a limit of wall time.
    local total = { rounds = {}, ends = {} }
    for name, driver in pairs(drivers) do
        assert(process.send(driver, "stop"))
        local part = await(ended, "the group " .. name)
        total.rounds[part.name] = part.rounds
        for how, count in pairs(part.ends) do
            total.ends[how] = (total.ends[how] or 0) + count
        end
    end
    local asked = process.listen("counted")
    process.send(victim, "count", process.pid())
    total.reached = await(asked, "the victim")
    io.print(json.encode(report(total)))
    io.readline()
    return true
end

return { main = main }
