local check = require("check")
local time = require("time")

local EXIT = process.event.EXIT
local ready = process.listen("ready")
local linked = process.listen("linked")

-- Starts a process that says when it is ready.
local function start(id, ...)
    local pid = check.watch(id, process.pid(), ...)
    check.receive(ready)
    return pid
end

check.case("the constants", function()
    check.equal(process.event.CANCEL, "pid.cancel")
    check.equal(process.event.EXIT, "pid.exit")
    check.equal(process.event.LINK_DOWN, "pid.link.down")
    check.equal(process.event.OUTDATED, "pid.outdated")
end)

check.case("a monitor hears of a good end", function()
    local pid = check.watch("events:ends", { 1, 2 })
    local event = check.event(EXIT, pid)
    check.equal(event.kind, "pid.exit")
    check.equal(event.from, pid)
    check.equal(event.result.value, { 1, 2 })
    check.is_nil(event.result.error)
    check.is_true(math.abs(event.at - os.time()) < 120)
end)

check.case("a monitor hears of a bad end", function()
    local pid = check.watch("events:fails", "broken")
    local result = check.event(EXIT, pid).result
    check.is_nil(result.value)
    check.equal(result.error:kind(), errors.CONFLICT)
    check.contains(result.error:message(), "broken")
end)

check.case("monitoring twice is AlreadyExists", function()
    local pid = check.spawn("events:waits", process.pid())
    check.receive(ready)
    check.is_true(process.monitor(pid))
    check.fails(errors.ALREADY_EXISTS, process.monitor(pid))
    process.terminate(pid)
    check.event(EXIT, pid)
    check.no_event()
end)

check.case("an unknown pid is NotFound", function()
    local nobody = "{lib:processes|nobody}"
    check.fails(errors.NOT_FOUND, process.monitor(nobody))
    check.fails(errors.NOT_FOUND, process.link(nobody))
    check.fails(errors.NOT_FOUND, process.cancel(nobody))
    check.fails(errors.NOT_FOUND, process.terminate(nobody))
end)

check.case("no exit is heard after unmonitor", function()
    local pid = start("events:waits")
    check.is_true(process.unmonitor(pid))
    process.terminate(pid)
    -- The exit of a later process proves that the first one's would have been here.
    check.outcome("events:ends")
    check.no_event()
end)

check.case("every monitor hears of every exit", function()
    local pids, heard = {}, 0
    for index = 1, 200 do
        pids[check.watch("events:ends", index)] = index
    end
    local events = process.events()
    while heard < 200 do
        local event = check.receive(events)
        check.equal(event.result.value, pids[event.from])
        pids[event.from] = nil
        heard = heard + 1
    end
end)

check.case("cancel delivers an event with its reason, nothing more", function()
    local pid = start("events:obeys")
    check.is_true(process.cancel(pid, "enough"))
    local value = check.event(EXIT, pid).result.value
    check.equal(value.kind, process.event.CANCEL)
    check.equal(value.from, process.pid())
    check.equal(value.reason, "enough")
    check.is_true(value.at == "integer" or value.at == "float")

    local deaf = start("events:waits")
    process.cancel(deaf)
    check.is_true(process.send(deaf, "still", "there"))
    process.terminate(deaf)
    check.event(EXIT, deaf)
end)

check.case("terminate ends a process that waits, with an error", function()
    local pid = start("events:waits")
    check.is_true(process.terminate(pid))
    local result = check.event(EXIT, pid).result
    check.is_nil(result.value)
    check.equal(type(result.error), "userdata")
    check.fails(errors.NOT_FOUND, process.terminate(pid))
end)

for _, id in ipairs({ "loops", "loops_in_pcall", "loops_in_coroutine", "loops_in_library" }) do
    check.case("terminate ends an endless loop: " .. id, function()
        local pid = start("events:" .. id)
        check.is_true(process.terminate(pid))
        check.equal(type(check.event(EXIT, pid).result.error), "userdata")
    end)
end

check.case("endless loops do not hold up others", function()
    local loops = {}
    for index = 1, 8 do
        loops[index] = start("events:loops")
    end
    local before = time.now()
    for number = 1, 20 do
        check.equal((check.outcome("events:ends", number)), number)
    end
    check.is_true(time.now():sub(before):seconds() < 15, "twenty processes beside eight loops within 15 s")
    for _, pid in ipairs(loops) do
        process.terminate(pid)
        check.event(EXIT, pid)
    end
end)

check.case("the failure of a linked process ends the other", function()
    local first = start("events:waits")
    local second = check.watch("events:linked", process.pid(), first)
    check.receive(linked)
    process.terminate(first)
    check.event(EXIT, first)
    check.contains(check.event(EXIT, second).result.error, "linked process failed")
end)

check.case("a good end of a linked process ends nobody", function()
    local first = start("events:obeys")
    local second = check.watch("events:linked", process.pid(), first)
    check.receive(linked)
    process.cancel(first)
    check.event(EXIT, first)
    check.is_true(process.send(second, "still", "there"))
    process.terminate(second)
    check.event(EXIT, second)
end)

check.case("with trap_links the failure is an event", function()
    local first = start("events:waits")
    local second = check.watch("events:trapping", process.pid(), first)
    check.receive(linked)
    process.terminate(first)
    check.event(EXIT, first)
    local value = check.event(EXIT, second).result.value
    check.equal(value.kind, process.event.LINK_DOWN)
    check.equal(value.from, first)
end)

check.case("this process traps links of its own children", function()
    process.set_options({ trap_links = true })
    local pid = process.spawn_linked("events:fails", "lib:processes", "child")
    local event = check.event(process.event.LINK_DOWN, pid)
    check.equal(event.result.error:kind(), errors.CONFLICT)
    check.is_nil(event.result.value)

    -- A good end of a linked child is no event.
    process.spawn_linked("events:ends", "lib:processes")
    check.outcome("events:ends")
    check.no_event()
end)

check.case("after unlink a failure stays alone", function()
    local pid = process.spawn_linked("events:waits", "lib:processes", process.pid())
    check.receive(ready)
    check.is_true(process.unlink(pid))
    process.monitor(pid)
    process.terminate(pid)
    check.event(EXIT, pid)
    check.no_event()
    process.set_options({ trap_links = false })
end)

check.case("spawn_linked_monitored installs both", function()
    process.set_options({ trap_links = true })
    local pid = process.spawn_linked_monitored("events:fails", "lib:processes", "both")
    local events = process.events()
    local kinds = {}
    for _ = 1, 2 do
        local event = check.receive(events)
        check.equal(event.from, pid)
        kinds[event.kind] = true
    end
    check.equal(kinds, { [process.event.EXIT] = true, [process.event.LINK_DOWN] = true })
    process.set_options({ trap_links = false })
end)

check.case("a link to an ended process", function()
    local pid = check.watch("events:ends")
    check.event(EXIT, pid)
    check.fails(errors.NOT_FOUND, process.link(pid))
    check.fails(errors.NOT_FOUND, process.monitor(pid))
end)

check.case("options can be set and read; an unknown one is Invalid", function()
    check.equal(check.outcome("events:options"), {
        before = false, set = true, after = true, upgradable = true, unknown = false, kind = errors.INVALID,
    })
end)

return { main = check.main }
