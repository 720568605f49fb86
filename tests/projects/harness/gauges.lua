-- What a node holds, as it tells operators: the numbers behind `moonlet_handles` and `moonlet_module_jobs`, and its processes.
--
-- Whoever asks must hold nothing itself, so that zero is what there is when all is given back.
local funcs = require("funcs")
local http_client = require("http_client")
local json = require("json")
local time = require("time")

-- How long something may take to be given back. Never reached when all is well.
local PATIENCE = 30

-- Processes that are there all the time.
local STAYS = { ["app:main"] = true, ["app:idle"] = true }

local gauges = {}

-- What was not given back before, so that each leak is told once.
local rest = { handles = 0, jobs = 0, processes = {} }

-- Asks the node at this address.
function gauges.read(address)
    local answer, err = http_client.get("http://" .. address .. "/stats")
    if not answer then
        error(err)
    end
    local stats = json.decode(answer.body)
    -- The question is a job, too.
    local found = { handles = stats.handles, jobs = stats.jobs - 1, processes = {} }
    for _, process in ipairs(stats.processes) do
        if not STAYS[process.entry] then
            found.processes[process.pid] = process
        end
    end
    return found
end

-- What is there beyond what is known.
local function left(found)
    local texts = {}
    if found.handles ~= rest.handles then
        table.insert(texts, ("%d handles, not %d"):format(found.handles, rest.handles))
    end
    if found.jobs ~= rest.jobs then
        table.insert(texts, ("%d jobs, not %d"):format(found.jobs, rest.jobs))
    end
    for pid, process in pairs(found.processes) do
        if not rest.processes[pid] then
            table.insert(texts, "a process of " .. process.entry)
        end
    end
    return table.concat(texts, ", ")
end

-- Asks until something is so; gives what there is then, or nothing and what there is after too long.
function gauges.await(address, is_so)
    local last = time.now():unix() + PATIENCE
    while true do
        local found = gauges.read(address)
        if is_so(found) then
            return found
        elseif time.now():unix() > last then
            return nil, found
        end
    end
end

-- Waits until the node runs no programs; gives what is left after too long.
function gauges.programs_settled()
    local last = time.now():unix() + PATIENCE
    while true do
        local count = assert(funcs.call("app:programs"))
        if count == 0 then
            return
        elseif time.now():unix() > last then
            return ("there are %d programs"):format(count)
        end
    end
end

-- Waits until nothing is left; gives what is left after too long.
function gauges.settled(address)
    local settled, found = gauges.await(address, function(now)
        return left(now) == ""
    end)
    if not settled then
        local text = left(found)
        rest = found
        return "there are " .. text
    end
end

return gauges
