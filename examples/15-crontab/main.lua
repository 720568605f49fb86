local io = require("io")
local registry = require("registry")

local function apply(build)
    local changes = registry.snapshot():changes()
    build(changes)
    assert(changes:apply())
end

local function job(every, text)
    return {
        id = "app.jobs:greeter",
        kind = "registry.entry",
        meta = { type = "cron.job" },
        data = { every = every, func = "app:announce", args = { text = text } },
    }
end

local function main()
    local announced = process.listen("announced")
    assert(process.registry.register("announcements"))

    -- Waits until a text was announced so often, whatever else comes meanwhile.
    local function hear(text, times)
        while times > 0 do
            if announced:receive() == text then
                times = times - 1
            end
        end
        io.print("heard: " .. text)
    end

    hear("still alive", 2)

    apply(function(changes)
        changes:create(job("5ms", "good morning"))
    end)
    hear("good morning", 3)

    apply(function(changes)
        changes:update(job("5ms", "good night"))
    end)
    hear("good night", 1)

    -- Without its entry, the job ends; the other one goes on.
    apply(function(changes)
        changes:delete("app.jobs:greeter")
    end)
    hear("still alive", 2)
    io.print("jobs left: " .. #registry.find({ ["meta.type"] = "cron.job" }))
end

return { main = main }
