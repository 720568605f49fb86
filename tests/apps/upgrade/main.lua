local check = require("check")
local registry = require("registry")

local answers, failures = process.listen("answer"), process.listen("failed")
local outdated, relayed = process.listen("outdated"), process.listen("event")
local watching = process.listen("watching")

local function ask(pid)
    process.send(pid, "ask")
    return check.receive(answers)
end

local function start(id)
    process.registry.register("upgrade.main")
    return check.watch(id or "upgrade:counter")
end

local function stop(pid)
    process.send(pid, "stop")
    return check.event(process.event.EXIT, pid).result.value
end

local function shared(version)
    local changes = registry.snapshot():changes()
    changes:update({ id = "upgrade:shared", kind = "library.lua", data = { source = "return { version = " .. version .. " }" } })
    local applied, err = changes:apply()
    if not applied then
        error(tostring(err), 2)
    end
end

check.case("an upgrade keeps pid, name, links, monitors and whoever waits; its arguments carry state", function()
    local pid = start()
    process.registry.register("upgrade.counter", pid)
    process.send(pid, "add", 3)
    check.equal(ask(pid), { name = "first", count = 3, version = 1, id = "upgrade:counter" })
    process.send(pid, "upgrade", { id = "upgrade:second" })
    check.equal(ask("upgrade.counter"), { name = "second", count = 3, version = 1, id = "upgrade:second" })
    check.equal(process.registry.lookup("upgrade.counter"), pid)
    check.equal(stop(pid), "second 3")
    check.fails("NotFound", process.registry.lookup("upgrade.counter"))
end)

check.case("messages that were delivered and not read are not lost, and keep their order", function()
    local pid = start()
    process.send(pid, "add", 1)
    process.send(pid, "upgrade", { id = "upgrade:second" })
    for number = 1, 300 do
        process.send(pid, "add", number)
    end
    check.equal(ask(pid), { name = "second", count = 1 + 300 * 301 // 2, version = 1, id = "upgrade:second" })
    stop(pid)
end)

check.case("without an id, the same entry starts over in its newest version", function()
    local pid = start()
    process.send(pid, "add", 5)
    shared(2)
    check.equal(check.receive(outdated), { "upgrade:counter", "upgrade:shared" })
    check.equal(ask(pid).version, 1, "running processes keep their code")
    process.send(pid, "upgrade", {})
    check.equal(ask(pid), { name = "first", count = 5, version = 2, id = "upgrade:counter" })
    shared(1)
    check.equal(check.receive(outdated), { "upgrade:counter", "upgrade:shared" })
    stop(pid)
end)

check.case("who is not upgradable hears nothing", function()
    local pid = start("upgrade:plain")
    shared(3)
    process.send(pid, "the first thing it hears")
    check.equal(check.event(process.event.EXIT, pid).result.value, "the first thing it hears")
    shared(1)
end)

check.case("links and monitors of others outlive the upgrade", function()
    local pid, other = start(), start("upgrade:plain")
    process.send(pid, "watch", other)
    check.receive(watching)
    process.send(pid, "upgrade", { id = "upgrade:second" })
    check.equal(ask(pid).name, "second")
    process.send(other, "bye")
    check.equal(check.receive(relayed), { process.event.EXIT, other, "bye" })
    check.event(process.event.EXIT, other)
    stop(pid)
end)

check.case("channels in the arguments arrive", function()
    local pid, reply = start(), channel.new(1)
    process.send(pid, "add", 7)
    process.send(pid, "upgrade", { id = "upgrade:second", reply = reply })
    check.equal(check.receive(reply), 7)
    stop(pid)
end)

check.case("what cannot be is an error, and the old code goes on", function()
    local pid = start()
    process.send(pid, "add", 1)
    for _, case in ipairs({ { "upgrade:nothing", "NotFound" }, { "upgrade:shared", "Invalid" }, { "upgrade:function", "Invalid" } }) do
        process.send(pid, "upgrade", { id = case[1] })
        process.send(pid, "add", 1)
        check.equal(check.receive(failures):kind(), case[2])
    end
    check.equal(ask(pid).count, 4)
    stop(pid)
end)

check.case("a new version that fails to start leaves the error as the exit", function()
    local pid = start()
    process.send(pid, "upgrade", { id = "upgrade:broken" })
    check.contains(check.event(process.event.EXIT, pid).result.error, "broken from the start")
end)

check.case("the result of the new code is the result of the process", function()
    local pid = start()
    process.send(pid, "upgrade", { id = "upgrade:second" })
    process.send(pid, "add", 2)
    check.equal(stop(pid), "second 2")
end)

return { main = check.main }
