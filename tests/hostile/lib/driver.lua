-- Runs every attack of one group against the tenant's host, beside two neighbours on a host of their own that count round trips.
-- Each attack is one line: `ok NAME` or `not ok NAME: why`; so are the questions at the end.
local io = require("io")
local time = require("time")
local attacks = require("attacks")

local TENANT = "tenant:processes"
local NEIGHBOURS = "neighbour:processes"
-- What is far longer than any attack may live.
local LIMIT = "20s"

local failed, passed = 0, 0

local function report(name, why)
    if why then
        failed = failed + 1
        io.print("not ok " .. name .. ": " .. (tostring(why):gsub("\n", " / ")))
    else
        passed = passed + 1
        io.print("ok " .. name)
    end
end

local function await(ch, what)
    local timer = time.timer(LIMIT)
    local limit = timer:response()
    local ready = channel.select({ ch:case_receive(), limit:case_receive() })
    timer:stop()
    if ready.channel == limit then
        return nil, what .. " did not come within " .. LIMIT
    end
    return ready.value
end

-- What an attack may come to: "ok", or "KIND part of the message"; the kind is "unknown" for the empty one, and "any" for all.
local function matches(expected, result)
    local kind, text = expected:match("^(%S+)%s*(.*)$")
    if kind == "ok" then
        return result.error == nil and result.value == true
    end
    local err = result.error
    if kind == "unknown" then
        kind = ""
    end
    return err ~= nil and (kind == "any" or err:kind() == kind) and err:message():find(text, 1, true) ~= nil
end

local function shown(result)
    if result.error then
        return result.error:kind() .. ": " .. result.error:message():sub(1, 300)
    end
    return "the value " .. tostring(result.value)
end

local function verdict(attack, result)
    for _, expected in ipairs(attack.ends) do
        if matches(expected, result) then
            return nil
        end
    end
    return "it must end as " .. table.concat(attack.ends, " or ") .. ", but ended as " .. shown(result)
end

-- What the neighbours have done since they were asked last.
local function ask(neighbour, answers)
    assert(process.send(neighbour, "report", process.pid()))
    return await(answers, "the report of the neighbour")
end

local function check_neighbour(neighbour, answers)
    local before, err = ask(neighbour, answers)
    if not before then
        return err
    end
    -- The pair must go on: a report of a later round trip must come.
    local after
    repeat
        after, err = ask(neighbour, answers)
        if not after then
            return err
        elseif after.lost > 0 then
            return "the neighbour lost " .. after.lost .. " messages"
        end
    until after.trips > before.trips
    return nil
end

-- Starts the attacks, `together` at a time, and judges each.
local function run(together, neighbour, answers, victim)
    local events = process.events()
    local running, count, next_attack = {}, 0, 1
    local where = { victim = victim, driver = process.pid(), tenant = TENANT, neighbours = NEIGHBOURS }
    while next_attack <= #attacks.list or count > 0 do
        while count < together and next_attack <= #attacks.list do
            local attack = attacks.list[next_attack]
            next_attack = next_attack + 1
            local deadline = time.now():unix() + 20
            local pid, err
            repeat
                -- What earlier attacks have left behind may fill the quota until its time is over.
                pid, err = process.spawn_monitored("tenant:" .. attack.name, TENANT, nil, where)
                if not pid then
                    time.sleep("20ms")
                end
            until pid or time.now():unix() > deadline
            if pid then
                running[pid] = attack
                count = count + 1
            else
                report(attack.name, "it does not start: " .. tostring(err))
            end
        end
        if count > 0 then
            local event, err = await(events, "the end of an attack")
            if not event then
                for pid, attack in pairs(running) do
                    report(attack.name, err)
                    process.terminate(pid)
                end
                return
            end
            local attack = event.kind == process.event.EXIT and running[event.from]
            if attack then
                running[event.from] = nil
                count = count - 1
                report(attack.name, verdict(attack, event.result) or check_neighbour(neighbour, answers))
            end
        end
    end
end

-- The quota counts the living: when nothing is left of the attacks, exactly so many processes start again.
local function check_empty()
    local deadline = time.now():unix() + 20
    local idle, err
    repeat
        idle = {}
        for number = 1, attacks.quota do
            local pid
            pid, err = process.spawn("tenant:idle", TENANT)
            if not pid then
                break
            end
            idle[number] = pid
        end
        for _, pid in ipairs(idle) do
            process.terminate(pid)
        end
        if #idle < attacks.quota then
            time.sleep("50ms")
        end
    until #idle == attacks.quota or time.now():unix() > deadline
    if #idle < attacks.quota then
        return "only " .. #idle .. " of " .. attacks.quota .. " processes start again: " .. tostring(err)
    end
    return nil
end

local function main()
    local answers = process.listen("answer")
    local ready = process.listen("ready")
    local victim = assert(process.spawn("neighbour:victim", NEIGHBOURS, process.pid()))
    local neighbour = assert(process.spawn_monitored("neighbour:ping", NEIGHBOURS, process.pid()))
    assert(await(ready, "the victim"))
    assert(await(ready, "the neighbour"))

    run(attacks.together, neighbour, answers, victim)

    report("the neighbour works on and lost nothing", check_neighbour(neighbour, answers))
    report("nothing is left of the attacks", check_empty())
    local asked = process.listen("counted")
    process.send(victim, "count", process.pid())
    local heard, err = await(asked, "the victim")
    report("nobody reached the victim", err or (heard > 0 and heard .. " messages or signals did" or nil))
    io.print(failed == 0 and passed .. " passed" or failed .. " of " .. passed + failed .. " failed")
    return failed == 0
end

return { main = main }
