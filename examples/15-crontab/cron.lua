local registry = require("registry")
local events = require("events")
local funcs = require("funcs")
local time = require("time")
local logger = require("logger")

-- The jobs that run now, by id. A job whose place is taken or empty stops before its next turn.
local jobs = {}

local function run(job, id)
    while true do
        time.sleep(job.every)
        if jobs[id] ~= job then
            return
        end
        -- The job decides what happens, so its failure is news and nothing more.
        local _, err = funcs.call(job.func, job.args)
        if err then
            logger:error("a job failed", { job = id, error = tostring(err) })
        end
    end
end

-- Starts what is new, restarts what changed, forgets what is gone.
local function load()
    local found = {}
    for _, entry in ipairs(registry.find({ [".kind"] = "registry.entry", ["meta.type"] = "cron.job" })) do
        found[entry.id] = entry.data
    end
    for id in pairs(jobs) do
        jobs[id] = found[id] and jobs[id]
    end
    for id, data in pairs(found) do
        local known = jobs[id]
        if not known or known.every ~= data.every or known.func ~= data.func or known.args.text ~= data.args.text then
            jobs[id] = data
            coroutine.spawn(run, data, id)
        end
    end
end

local function main()
    -- First the subscription, then the list: no change falls between them.
    local changes = events.subscribe("registry", "registry.commit"):channel()
    local signals = process.events()
    load()
    while true do
        local heard = channel.select({ changes:case_receive(), signals:case_receive() })
        if heard.channel == signals or not heard.ok then
            return
        end
        load()
    end
end

return { main = main }
