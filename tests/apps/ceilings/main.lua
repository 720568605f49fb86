local check = require("check")
local funcs = require("funcs")

-- Runs an entry on the tenant's host.
local function tenant(entry, ...)
    local pid, err = process.spawn_monitored(entry, "ceilings:tenant", ...)
    check.is_nil(err)
    local result = check.event(process.event.EXIT, pid).result
    check.is_nil(result.error)
    return result.value
end

local NARROW = { json = false, funcs = true }
local ALL = { json = true, funcs = true }

check.case("without a ceiling an entry has all modules that it declares", function()
    check.equal((check.outcome("ceilings:modules")), ALL)
    check.equal((funcs.call("ceilings:modules_function")), ALL)
    check.equal((funcs.call("ceilings:placed_function")), ALL)
end)

check.case("a process has what its host allows of them", function()
    check.equal(tenant("ceilings:modules"), NARROW)
end)

check.case("a process on another host has no more than the host of whoever started it allows", function()
    check.equal(tenant("ceilings:spawn_on", "ceilings:modules", "ceilings:wide").value, NARROW)
end)

check.case("nor has what that one starts", function()
    local got = tenant("ceilings:spawn_on", "ceilings:spawn_on", "ceilings:wide", "ceilings:modules", "ceilings:wide")
    check.equal(got.value.value, NARROW)
end)

check.case("a function has no more than the host of its caller allows, wherever it runs", function()
    check.equal(tenant("ceilings:call", "ceilings:modules_function").value, NARROW)
    check.equal(tenant("ceilings:call", "ceilings:placed_function").value, NARROW)
end)

check.case("a function runs on the host of its caller", function()
    check.match(tenant("ceilings:call", "ceilings:where").value, "^{ceilings:tenant|")
end)

check.case("hosts and entries of other namespaces are denied, and the error names the line to write", function()
    local denied = tenant("ceilings:call", "lib:anything")
    check.equal(denied.kind, "PermissionDenied")
    check.contains(denied.message, "allow: {namespaces: [lib]}")
end)

check.case("nothing leads to processes of other namespaces", function()
    local victim = check.watch("ceilings_outside:victim", "ceilings.victim")
    check.is_true(process.send(victim, "ready"))
    check.receive(process.inbox())
    for act, result in pairs(tenant("ceilings:reach", victim, "ceilings.victim")) do
        check.equal(result, "PermissionDenied", act)
    end
    check.equal(process.registry.lookup("ceilings.victim"), victim)
    process.send(victim, "stop")
    check.equal(check.event(process.event.EXIT, victim).result.value, { "ready" })
end)

check.case("templates and bindings of other namespaces are not part of one's own sets and contracts", function()
    local pid = process.spawn_monitored("ceilings:read", "ceilings:reader")
    check.equal(check.event(process.event.EXIT, pid).result.value, {
        own = "own",
        joined = "NotFound",
        implementations = { "ceilings:greeter" },
        default = "NotFound",
        named = "PermissionDenied",
    })
end)

return { main = check.main }
