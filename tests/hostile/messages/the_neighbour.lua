-- attack: everything that one process can do to another, to one of another tenant
-- stopped by: allow.namespaces of the process host
-- ends: ok

local function main(_, where)
    local expect = require("expect")
    expect.refused("PermissionDenied", process.registry.lookup("neighbour.victim"))
    for _, to in ipairs({ where.victim, "neighbour.victim", where.driver }) do
        expect.refused("PermissionDenied", process.send(to, "topic", 1))
        expect.refused("PermissionDenied", process.cancel(to))
        expect.refused("PermissionDenied", process.terminate(to))
        expect.refused("PermissionDenied", process.link(to))
        expect.refused("PermissionDenied", process.monitor(to))
        expect.refused("PermissionDenied", process.registry.register("mine", to))
    end
    expect.refused("PermissionDenied", process.registry.unregister("neighbour.victim"))
    expect.refused("AlreadyExists", process.registry.register("neighbour.victim"))
    -- Nothing to undo, and nothing to learn.
    process.unlink(where.victim)
    process.unmonitor(where.victim)
    local spawner = process.with_context({}):with_name("neighbour.victim"):with_message("topic", "hello")
    expect.refused("PermissionDenied", spawner:spawn("tenant:idle", "tenant:processes"))
    expect.refused("PermissionDenied", spawner:spawn_linked_monitored("tenant:idle", "tenant:processes"))
    local by_pid = process.with_context({}):with_name(where.victim):with_message("topic", "hello")
    expect.refused("PermissionDenied", by_pid:spawn("tenant:idle", "tenant:processes"))
    return true
end

return { main = main }
