-- Runs every row in every way that applies to it, and says what was wrong.
--
-- It holds nothing itself, or the gauges would count that: what needs objects of modules runs in other processes.
local rows = require("rows")
local lists = require("lists")
local funcs = require("funcs")
local gauges = require("gauges")
local io = require("io")
local names = require("names")
local queue = require("queue")
local security = require("security")
local time = require("time")

-- How long a row may take to come where it is waited for. Never reached when all is well.
local PATIENCE = "30s"

-- Where the node tells what it uses.
local address

local function say(text)
    io.print(text)
end

local function report(wrong)
    for _, line in ipairs(wrong) do
        say("wrong: " .. line)
    end
end

local function policy(id)
    return assert(security.policy(id))
end

-- Runs rows on a host, under a scope.
local function call(mode, keys, scope, entry)
    local caller = funcs.new():with_options({ host = "app:processes" })
    if scope then
        caller = caller:with_actor(security.new_actor("row", {})):with_scope(assert(security.new_scope(scope)))
    end
    say("runs " .. mode .. " of " .. keys[1] .. (keys[2] and " and others" or ""))
    local wrong, err = caller:call(entry or "app:run", mode, keys)
    report(wrong or { table.concat(keys, " "):sub(1, 200) .. " " .. mode .. ": the process ended: " .. tostring(err) })
end

local function sorted(map)
    local keys = {}
    for key in pairs(map) do
        table.insert(keys, key)
    end
    table.sort(keys)
    return keys
end

-- The keys of all rows that fit.
local function those(fits)
    local keys = {}
    for _, key in ipairs(sorted(rows.table)) do
        if fits(rows.table[key], key) then
            table.insert(keys, key)
        end
    end
    return keys
end

local function anywhere(row)
    return not row.place
end

local function somewhere(row)
    return row.place ~= nil
end

-- Rows that share something, each group by a text.
local function grouped(keys, by)
    local groups = {}
    for _, key in ipairs(keys) do
        for _, name in ipairs(by(key)) do
            groups[name] = groups[name] or {}
            table.insert(groups[name], key)
        end
    end
    return groups
end

local function needs(key)
    return sorted(rows.table[key].needs)
end

local wrongs, told = process.listen("wrong"), process.listen("told")

-- What comes next of a row that runs elsewhere: what it tells, or nothing and what went wrong.
local function next_of(key)
    local late = time.after(PATIENCE)
    local ready = channel.select({ told:case_receive(), wrongs:case_receive(), late:case_receive() })
    if ready.channel == told then
        return ready.value
    elseif ready.channel == wrongs then
        return nil, ready.value[1] or key .. " was over too soon"
    end
    return nil, key .. " did not come to where it should"
end

-- Starts a row where it can run: as a process of its own, or in a call, whose future it gives.
local function start(mode, key, options)
    say("runs " .. mode .. " of " .. key)
    local place, narrow = rows.table[key].place, options and options.narrow
    local asked = { mode = mode, key = key, to = process.pid(), narrow = narrow }
    if place == "http" then
        return assert(funcs.async("app:post", asked))
    elseif place == "queue" then
        assert(queue.publish(narrow and "app:narrow_rows" or "app:wide_rows", asked))
    elseif options and options.in_call then
        return assert(funcs.async("app:run", mode, { key }, process.pid()))
    else
        assert(process.spawn(narrow and "app:narrow_job" or "app:job", place == "terminal" and "app:terminal" or "app:processes", asked))
    end
end

-- Runs a row where it can run, with low limits or without, and tells what was wrong.
local function elsewhere(mode, key, narrow)
    if not rows.table[key].place then
        return call(mode, { key }, nil, narrow and "app:narrow")
    end
    start(mode, key, { narrow = narrow })
    local late = time.after(PATIENCE)
    local ready = channel.select({ wrongs:case_receive(), late:case_receive() })
    report(ready.channel == wrongs and ready.value or { key .. " " .. mode .. ": there was no answer" })
end

-- Nothing may be left of a row.
local function settle(key, mode)
    local left = key:find("^exec") and gauges.programs_settled() or gauges.settled(address)
    if left then
        say(("wrong: %s %s: %s"):format(key, mode, left))
    end
end

-- Starts a row, and ends its process when it is where it tells; gives what there was then.
local function kill(mode, key, is_there)
    local future = start(mode, key)
    local pid, wrong = next_of(key)
    local found
    if pid then
        found, wrong = gauges.await(address, function(now)
            return is_there(now.processes[pid])
        end)
        wrong = not found and key .. " is not where it should be" or nil
        process.terminate(pid)
    end
    if future and wrong then
        future:cancel()
    elseif future then
        future:response():receive()
    end
    if wrong then
        say(("wrong: %s %s: %s"):format(key, mode, wrong))
    end
    settle(key, mode)
    return found
end

local function is_there(found)
    return found ~= nil
end

local function is_waiting(found)
    return found and found.state == "idle"
end

local parts = {}

-- Allowed by exactly what the row needs, and denied without each part of it.
function parts.policies()
    report(names.wrong(rows.table, lists))
    local keys = those(anywhere)
    for action, group in pairs(grouped(keys, function(key)
        return { table.concat(needs(key), " ") }
    end)) do
        local scope = {}
        for name in action:gmatch("%S+") do
            table.insert(scope, policy("can:" .. name))
        end
        call("works", group, scope)
    end
    for action, group in pairs(grouped(keys, needs)) do
        call("denied", group, { policy("app:everything"), policy("cannot:" .. action) })
    end
end

-- What needs a request, a message or the terminal works where these are.
function parts.places()
    for _, key in ipairs(those(somewhere)) do
        elsewhere("works", key)
    end
end

function parts.odd()
    local odd = those(function(row)
        return row.odd and not row.place
    end)
    for _, group in pairs(grouped(odd, function(key)
        return { key:match("^[^.]+") }
    end)) do
        call("odd", group)
    end
    for _, key in ipairs(those(function(row)
        return row.odd and row.place
    end)) do
        elsewhere("odd", key)
    end
end

-- Whatever keeps handles is refused at the limit, and gives them all back with its process; so are calls that wait, and large answers.
function parts.limits()
    local keeps = 0
    for _, key in ipairs(sorted(rows.table)) do
        local found = kill("kept", key, is_there)
        if found and found.handles >= rows.KEPT then
            keeps = keeps + 1
            elsewhere("over", key, true)
            settle(key, "over")
        end
    end
    say(keeps .. " rows keep handles")
    call("busy", those(anywhere), nil, "app:crowded")
    for _, key in ipairs(those(somewhere)) do
        elsewhere("busy", key, true)
    end
    for mode, option in pairs({ crowded = "waits", large = "large" }) do
        for _, key in ipairs(those(function(row)
            return row[option] and not row.place
        end)) do
            call(mode, { key }, nil, mode == "crowded" and "app:crowded" or "app:narrow")
            settle(key, mode)
        end
    end
end

-- Nothing is left of a process that is killed in the middle of a call, and everything works afterwards.
function parts.killed()
    for _, key in ipairs(those(function(row)
        return row.waits ~= row.call
    end)) do
        kill("endless", key, is_there)
    end
    for _, key in ipairs(those(function(row)
        return row.waits or row.listens
    end)) do
        kill("waiting", key, is_waiting)
    end
    call("works", those(anywhere))
end

-- Nothing is left of a call that is cancelled, or comes to its deadline, in the middle.
function parts.canceled()
    for _, key in ipairs(those(function(row)
        -- Nobody can cancel a consumer's function, and the terminal is for processes.
        return row.place ~= "queue" and row.place ~= "terminal"
    end)) do
        local future = start("endless", key, { in_call = true })
        local pid, wrong = next_of(key)
        if not pid then
            say(("wrong: %s endless: %s"):format(key, wrong))
        end
        future:cancel()
        settle(key, "endless")
    end
    for _, key in ipairs(those(function(row)
        return (row.waits or row.listens) and not row.place
    end)) do
        local _, err = funcs.new():with_options({ timeout = 100 }):call("app:run", "waiting", { key }, process.pid())
        if not err or err:kind() ~= "Timeout" then
            say(("wrong: %s came back before its deadline: %s"):format(key, tostring(err)))
        end
        settle(key, "waiting")
    end
    call("works", those(anywhere))
end

local function main(part, metrics)
    address = metrics
    assert(funcs.call("app:prepare"))
    parts[part]()
    say("end of the harness")
    return 0
end

return { main = main }
