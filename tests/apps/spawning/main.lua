local check = require("check")
local ctx = require("ctx")

local HOST = "lib:processes"
local EXIT = process.event.EXIT

check.case("every way of spawning gives a pid on the host", function()
    for _, name in ipairs({ "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" }) do
        local pid, err = process[name]("spawning:adds", "spawning:other", 1, 2)
        check.is_nil(err)
        check.match(pid, "^{spawning:other|[^{}|]+}$")
        if name:find("monitored") then
            check.equal(check.event(EXIT, pid).result.value, 3)
        end
    end
    check.no_event()
end)

check.case("an unknown entry or host is NotFound", function()
    check.fails(errors.NOT_FOUND, process.spawn("spawning:nothing", HOST))
    check.contains(check.fails(errors.NOT_FOUND, process.spawn("spawning:nothing", HOST)), "spawning:nothing")
    check.contains(check.fails(errors.NOT_FOUND, process.spawn("spawning:adds", "spawning:nohost")), "spawning:nohost")
end)

check.case("what is not a process, or not a host, is Invalid", function()
    check.fails(errors.INVALID, process.spawn("spawning:data", HOST))
    check.fails(errors.INVALID, process.spawn("lib:check", HOST))
    check.fails(errors.INVALID, process.spawn("spawning:adds", "spawning:data"))
    check.fails(errors.INVALID, process.spawn("no colon", HOST))
    check.fails(errors.INVALID, process.spawn("", HOST))
end)

check.case("wrong argument types raise", function()
    check.fails(errors.INVALID, process.spawn())
    check.fails(errors.INVALID, process.spawn_monitored("spawning:adds"))
    check.fails(errors.INVALID, process.with_context({}):exec("spawning:adds"))
    check.fails(errors.INVALID, process.cancel())
    check.fails(errors.INVALID, process.monitor())
    check.raises("", process.spawn, {}, HOST)
    check.raises("", process.spawn, "spawning:adds", {})
end)

check.case("exec waits for the result", function()
    check.equal(process.exec("spawning:adds", HOST, 20, 22), 42)
end)

check.case("exec gives the error of the process", function()
    local err = check.fails(errors.UNAVAILABLE, process.exec("spawning:fails", HOST))
    check.contains(err:message(), "not today")
    check.equal(err:retryable(), true)
    check.fails(errors.NOT_FOUND, process.exec("spawning:nothing", HOST))
end)

check.case("when the caller of exec ends, the process is cancelled", function()
    local ready = process.listen("ready")
    local caller = check.watch("spawning:execs", process.pid())
    local callee = check.receive(ready)
    check.is_true(process.monitor(callee))
    process.terminate(caller)
    check.event(EXIT, caller)
    local result = check.event(EXIT, callee).result
    check.is_true(result.error ~= nil or result.value == process.event.CANCEL)
    process.unlisten(ready)
end)

check.case("several execs wait side by side", function()
    local results = channel.new(10)
    for number = 1, 10 do
        coroutine.spawn(function()
            results:send(process.exec("spawning:adds", HOST, number, 0))
        end)
    end
    local sum = 0
    for _ = 1, 10 do
        sum = sum + check.receive(results)
    end
    check.equal(sum, 55)
end)

check.case("context values reach the process and what it spawns", function()
    local spawner = process.with_context({ request = "r1", depth = 1 })
    check.equal(spawner:exec("spawning:context", HOST, "request").value, "r1")
    check.equal(spawner:exec("spawning:grandchild", HOST, "request").value, "r1")
    check.equal(spawner:exec("spawning:context", HOST, "request").all, { request = "r1", depth = 1 })
end)

check.case("a builder does not change", function()
    local base = process.with_context({ a = 1 })
    local more = base:with_context({ b = 2 })
    check.equal(base:exec("spawning:context", HOST, "a").all, { a = 1 })
    check.equal(more:exec("spawning:context", HOST, "a").all, { a = 1, b = 2 })
    check.equal(more:with_context({ a = 3 }):exec("spawning:context", HOST, "a").value, 3)
end)

check.case("a network that is not there is refused, and not left out", function()
    local spawner = process.with_options({ network = "spawning:tor" })
    check.contains(check.fails(errors.NOT_FOUND, spawner:spawn("spawning:adds", HOST, 1, 2)):message(), "network")
    check.fails(errors.NOT_FOUND, spawner:exec("spawning:adds", HOST, 1, 2))
    check.equal(process.with_options({ network = "", other = 1 }):exec("spawning:adds", HOST, 1, 2), 3)
end)

check.case("a missing key is NotFound, an empty one Invalid", function()
    check.fails(errors.NOT_FOUND, ctx.get("nothing here"))
    check.fails(errors.INVALID, ctx.get(""))
    local missing = process.with_context({ a = 1 }):exec("spawning:context", HOST, "a").missing
    check.equal(missing[2]:kind(), errors.NOT_FOUND)
end)

check.case("a builder spawns in every way", function()
    local spawner = process.with_context({ a = "b" })
    check.is_true(type(spawner:spawn("spawning:context", HOST, "a")) == "string")
    check.is_true(type(spawner:spawn_linked("spawning:context", HOST, "a")) == "string")
    for _, name in ipairs({ "spawn_monitored", "spawn_linked_monitored" }) do
        local pid = spawner[name](spawner, "spawning:context", HOST, "a")
        check.equal(check.event(EXIT, pid).result.value.value, "b")
    end
    check.no_event()
end)

check.case("queued messages are there before the process starts, in order", function()
    local heard = process.listen("heard")
    local named = process.listen("named")
    local pid = process.with_context({})
        :with_message("first", 1)
        :with_message("second", { 2 })
        :with_message("third")
        :spawn("spawning:named", HOST, process.pid())
    check.equal(check.receive(named), pid)
    check.equal(check.receive(heard), { topic = "first", data = 1 })
    check.equal(check.receive(heard), { topic = "second", data = { 2 } })
    check.equal(check.receive(heard), { topic = "third" })
    process.send(pid, "stop")
    process.unlisten(heard)
    process.unlisten(named)
end)

check.case("a taken name gives the existing pid, and the messages go there", function()
    local heard = process.listen("heard")
    local named = process.listen("named")
    local spawner = process.with_context({}):with_name("spawning.one")
    local pid = spawner:spawn("spawning:named", HOST, process.pid())
    check.equal(check.receive(named), pid)
    check.equal(process.registry.lookup("spawning.one"), pid)
    local again = spawner:with_message("hello", "again"):spawn("spawning:named", HOST, process.pid())
    check.equal(again, pid)
    check.equal(check.receive(heard), { topic = "hello", data = "again" })
    check.empty(named)
    process.send("spawning.one", "stop")
    process.unlisten(heard)
    process.unlisten(named)
end)

return { main = check.main }
