local check = require("check")

local registry = process.registry
local registered = process.listen("registered")

check.case("the scopes", function()
    check.equal({ registry.LOCAL, registry.EVENTUAL, registry.CONSISTENT, registry.STRONG }, { 0, 1, 2, 3 })
end)

check.case("register, look up, send by name, unregister", function()
    check.is_true(registry.register("names.me"))
    check.equal(registry.lookup("names.me"), process.pid())
    local ch = process.listen("by name")
    check.is_true(process.send("names.me", "by name", 1))
    check.equal(check.receive(ch), 1)
    process.unlisten(ch)
    check.is_true(registry.unregister("names.me"))
    check.fails(errors.NOT_FOUND, registry.lookup("names.me"))
end)

check.case("a missing name is NotFound", function()
    check.fails(errors.NOT_FOUND, registry.lookup("names.nobody"))
    check.fails(errors.NOT_FOUND, process.send("names.nobody", "topic"))
end)

check.case("to unregister a name that nobody has gives false and no error", function()
    local removed, err = registry.unregister("names.nobody")
    check.equal({ removed, err }, { false })
end)

check.case("a taken name is AlreadyExists; the same process may register again", function()
    check.is_true(registry.register("names.taken"))
    check.is_true(registry.register("names.taken"))
    local pid = check.watch("names:holder", process.pid(), "names.taken")
    check.equal(check.receive(registered), errors.ALREADY_EXISTS)
    check.equal(registry.lookup("names.taken"), process.pid())
    process.terminate(pid)
    check.event(process.event.EXIT, pid)
    registry.unregister("names.taken")
end)

check.case("a name may be registered for another process", function()
    local pid = check.watch("names:holder", process.pid(), "names.own")
    check.receive(registered)
    check.is_true(registry.register("names.given", pid))
    check.equal(registry.lookup("names.given"), pid)
    check.is_true(process.send("names.given", "topic", "through the name"))
    check.equal(check.event(process.event.EXIT, pid).result.value, "through the name")
    check.fails(errors.NOT_FOUND, registry.lookup("names.given"))
    check.fails(errors.NOT_FOUND, registry.lookup("names.own"))
end)

check.case("a name is free again after any exit", function()
    for _ = 1, 3 do
        local pid = check.watch("names:holder", process.pid(), "names.again")
        check.is_true(check.receive(registered))
        process.terminate(pid)
        check.event(process.event.EXIT, pid)
        check.fails(errors.NOT_FOUND, registry.lookup("names.again"))
    end
end)

check.case("a process may have several names", function()
    for number = 1, 20 do
        check.is_true(registry.register("names.many." .. number))
    end
    check.equal(registry.lookup("names.many.1"), registry.lookup("names.many.20"))
    for number = 1, 20 do
        check.is_true(registry.unregister("names.many." .. number))
    end
end)

check.case("an ended or unknown process cannot be named", function()
    local pid = check.watch("names:ends")
    check.event(process.event.EXIT, pid)
    check.fails(errors.NOT_FOUND, registry.register("names.ghost", pid))
end)

check.case("the scopes of a cluster are Unavailable on one node", function()
    for _, scope in ipairs({ registry.EVENTUAL, registry.CONSISTENT, registry.STRONG }) do
        check.fails(errors.UNAVAILABLE, registry.register("names.wide", process.pid(), scope))
    end
    check.fails(errors.NOT_FOUND, registry.lookup("names.wide"))
end)

check.case("a name works where a pid does", function()
    local pid = check.watch("names:holder", process.pid(), "names.target")
    check.receive(registered)
    check.fails(errors.ALREADY_EXISTS, process.monitor("names.target"))
    check.is_true(process.terminate("names.target"))
    check.event(process.event.EXIT, pid)
end)

check.case("wrong arguments", function()
    check.raises("", registry.register)
    check.raises("", registry.register, {})
    check.raises("", registry.lookup)
    check.fails(errors.INVALID, registry.register(""))
end)

check.case("a number in the place of the pid is the scope", function()
    check.equal(process.registry.register("names.scoped", process.registry.LOCAL), true)
    check.equal(process.registry.lookup("names.scoped"), process.pid())
    check.equal(process.registry.unregister("names.scoped"), true)
    check.fails(errors.UNAVAILABLE, process.registry.register("names.wide", process.registry.EVENTUAL))
end)

return { main = check.main }
