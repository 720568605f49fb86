local check = require("check")
local system = require("system")

check.case("memory and processors are numbers", function()
    local stats, err = system.memory.stats()
    check.is_nil(err)
    for _, name in ipairs({
        "alloc", "total_alloc", "sys", "heap_alloc", "heap_sys", "heap_idle", "heap_in_use", "heap_released", "heap_objects",
        "stack_in_use", "stack_sys", "mspan_in_use", "mspan_sys", "num_gc", "next_gc",
    }) do
        check.equal(math.type(stats[name]), "integer", name)
    end
    check.is_true(system.memory.allocated() > 0)
    check.is_true(system.memory.heap_objects() > 0)
    check.is_true(system.runtime.goroutines() > 0)
    check.is_true(system.runtime.cpu_count() > 0)
    check.is_true(system.runtime.max_procs() > 0)
    check.equal(math.type(system.memory.get_limit()), "integer")
    check.equal(system.gc.collect(), true)
    check.equal(system.gc.set_percent(200), 100)
    check.equal(system.gc.get_percent(), 200)
end)

check.case("what is fixed says so", function()
    check.fails(errors.UNAVAILABLE, system.memory.set_limit(1))
    check.fails(errors.UNAVAILABLE, system.runtime.max_procs(4))
    check.fails(errors.INVALID, system.runtime.max_procs(0))
end)

check.case("the program itself", function()
    check.equal(math.type(system.process.pid()), "integer")
    check.equal(type(system.process.hostname()), "string")
    check.equal(type(system.process.cwd()), "string")
end)

check.case("modules have a name, a description and classes", function()
    local found = {}
    for _, module in ipairs(system.modules()) do
        check.equal(type(module.description), "string")
        found[module.name] = module.class
    end
    check.equal(found.json, { "deterministic", "encoding" })
    check.is_nil(found.workflow)
end)

check.case("hosts and their processes are listed", function()
    local pid = check.spawn("system_module:idle")
    local hosts = {}
    for _, host in ipairs(system.hosts.list()) do
        hosts[host.id] = host
    end
    check.is_true(hosts["lib:processes"].processes >= 1)
    check.is_true(hosts["lib:processes"].workers >= 1)
    local mine
    for _, listed in ipairs(system.hosts.processes("lib:processes")) do
        if listed.pid == pid then
            mine = listed
        end
    end
    check.equal(mine.source, "system_module:idle")
    check.equal(mine.host, "lib:processes")
    check.equal(mine.parent, process.pid())
    check.equal(math.type(mine.started_at), "integer")
    check.fails(errors.NOT_FOUND, system.hosts.processes("system_module:none"))
    process.terminate(pid)
end)

check.case("services are listed", function()
    local state, err = system.supervisor.state("system_module:service")
    check.is_nil(err)
    check.equal(state.id, "system_module:service")
    check.equal(state.status, "unknown")
    check.equal(state.desired, "stopped")
    check.equal(state.retry_count, 0)
    check.fails(errors.NOT_FOUND, system.supervisor.state("system_module:none"))
    check.is_true(#system.supervisor.states() >= 1)
end)

check.case("a node alone is a cluster of one", function()
    check.equal(type(system.node.id()), "string")
    check.equal(system.node.role(), "non-member")
    check.fails(errors.INTERNAL, system.node.addr())
    check.equal(system.cluster.members(), { { id = system.node.id(), is_local = true } })
    check.equal(system.cluster.leader(), "")
    check.equal(system.cluster.size(), 1)
    for _, name in ipairs({ "is_leader", "is_member", "role", "term", "commit_index", "stats" }) do
        local err = check.fails(errors.INTERNAL, system.raft[name]())
        check.contains(err:message(), "raft not available")
    end
    check.fails(errors.UNAVAILABLE, system.lock.acquire("name"))
    check.fails(errors.UNAVAILABLE, system.lock.release("name"))
end)

return { main = check.main }
