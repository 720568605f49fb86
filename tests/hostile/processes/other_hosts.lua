-- attack: processes started where they could reach more
-- stopped by: allow of the process host
-- ends: ok
-- modules: funcs, io

local function main(role, where)
    local expect = require("expect")
    if role == "outside" then
        -- On a host without a ceiling, what started it confines it still.
        expect.refused("PermissionDenied", process.send(where.victim, "topic", 1))
        expect.refused("PermissionDenied", process.terminate(where.victim))
        expect.refused("PermissionDenied", process.spawn("tenant:idle", where.neighbours))
        expect.refused("PermissionDenied", process.spawn("neighbour:victim", "tenant:unbounded"))
        assert(not pcall(require, "io"))
        return true
    end
    assert(process.exec("tenant:other_hosts", "tenant:unbounded", "outside", where) == true)
    local function refused(...)
        expect.refused("PermissionDenied", process.spawn(...))
        expect.refused("PermissionDenied", process.exec(...))
        expect.refused("PermissionDenied", process.with_context({}):spawn_linked_monitored(...))
    end
    refused("tenant:idle", where.neighbours)
    refused("tenant:idle", "driver:terminal")
    refused("neighbour:victim", where.tenant)
    refused("neighbour:ping", where.neighbours)
    refused("driver:main", "driver:terminal")
    local funcs = require("funcs")
    expect.refused("PermissionDenied", funcs.call("neighbour:function"))
    expect.refused("PermissionDenied", funcs.call("driver:main"))
    local future, err = funcs.async("neighbour:function")
    expect.refused("PermissionDenied", future, err)
    for _, host in ipairs({ "tenant:nowhere", "tenant:echo", "", "x", "moonlet:functions", ("x"):rep(100000) .. ":y", "\xff:x" }) do
        assert(not process.spawn("tenant:idle", host), host:sub(1, 40))
    end
    for _, entry in ipairs({ "tenant:nothing", "tenant:processes", "tenant:expect", "", ":", "tenant:", ":x", "a:b:c", ("x"):rep(100000) }) do
        assert(not process.spawn(entry, where.tenant), entry:sub(1, 40))
        assert(not funcs.call(entry), entry:sub(1, 40))
    end
    return true
end

return { main = main }
