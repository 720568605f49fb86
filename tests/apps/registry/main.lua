local check = require("check")
local registry = require("registry")
local funcs = require("funcs")
local security = require("security")

local function apply(build)
    local changes = registry.snapshot():changes()
    build(changes)
    return changes:apply()
end

local function must(build)
    local version, err = apply(build)
    if not version then
        error(tostring(err), 2)
    end
    return version
end

local function free(name, data, meta)
    return { id = "registry.test:" .. name, kind = "registry.entry", meta = meta or {}, data = data or {} }
end

local function ids(entries)
    local found = {}
    for index, entry in ipairs(entries) do
        found[index] = entry.id
    end
    return found
end

check.case("an entry has id, kind, meta and data", function()
    local entry = registry.get("registry:config")
    check.equal(entry, {
        id = "registry:config",
        kind = "registry.entry",
        meta = { type = "setting", tags = { "blue", "green" }, rank = 3 },
        data = { environment = "production", features = { dark_mode = true, limit = 10, ratio = 0.5, none = {} } },
    })
    check.equal(registry.get("registry:other").data, { value = 1 })
    check.contains(registry.get("registry:main").data.source, "an entry has id, kind, meta and data")
end)

check.case("what is not there is NotFound, what is no id is Invalid", function()
    check.fails("NotFound", registry.get("registry:nothing"))
    check.fails("NotFound", registry.get("nowhere:nothing"))
    check.fails("Invalid", registry.get("no-namespace"))
    check.fails("Invalid", registry.get(""))
    check.raises("bad argument #1 to 'get' (string expected", registry.get, 5)
    check.raises("bad argument #1 to 'get' (string expected", registry.get)
end)

check.case("an id is split at its first colon", function()
    check.equal(registry.parse_id("app.lib:assert"), { ns = "app.lib", name = "assert" })
    check.equal(registry.parse_id("app:a:b"), { ns = "app", name = "a:b" })
    check.raises("bad argument #1 to 'parse_id'", registry.parse_id, nil)
end)

check.case("find asks for kind, namespace, name and meta", function()
    check.equal(ids(registry.find({ [".ns"] = "registry", [".kind"] = "registry.entry" })), { "registry:config", "registry:other" })
    check.equal(ids(registry.find({ [".id"] = "registry:config" })), { "registry:config" })
    check.equal(ids(registry.find({ [".ns"] = "registry", ["meta.type"] = "setting", [".name"] = "oth*" })), { "registry:other" })
    check.equal(ids(registry.find({ ["meta.deep.er"] = "yes" })), { "registry:other" })
    check.equal(ids(registry.find({ ["*meta.tags"] = "blue" })), { "registry:config" })
    check.equal(ids(registry.find({ ["^meta.type"] = "set", ["meta.rank"] = 3 })), { "registry:config" })
    check.equal(ids(registry.find({ ["$.id"] = "y:config" })), { "registry:config" })
    check.equal(ids(registry.find({ ["~.id"] = "^registry:(config|other)$" })), { "registry:config", "registry:other" })
    check.equal(ids(registry.find({ meta = { rank = 3 } })), { "registry:config" })
    check.equal(registry.find({ [".kind"] = "no.such" }), {})
    check.fails("Invalid", registry.find({ ["~.id"] = "(" }))
    check.is_true(#registry.find() == #registry.snapshot():entries())
end)

check.case("a snapshot stays as it is", function()
    local before = registry.snapshot()
    local version = must(function(changes)
        changes:create(free("stays", { value = 1 }))
    end)
    check.fails("NotFound", before:get("registry.test:stays"))
    check.equal(registry.snapshot():get("registry.test:stays").data, { value = 1 })
    check.equal(ids(registry.snapshot():namespace("registry.test")), { "registry.test:stays" })
    check.equal(before:namespace("registry.test"), {})
    check.equal(ids(registry.snapshot():find({ [".name"] = "stays" })), { "registry.test:stays" })
    check.equal(registry.snapshot():version():id(), version:id())
    check.is_true(before:version():id() < version:id())
    must(function(changes)
        changes:delete("registry.test:stays")
    end)
end)

check.case("versions know their neighbours", function()
    local before = registry.current_version()
    local version = must(function(changes)
        changes:create(free("version"))
    end)
    check.equal(registry.current_version():id(), version:id())
    check.equal(version:previous():id(), before:id())
    check.equal(before:next():id(), version:id())
    check.is_nil(version:next())
    check.equal(version:string(), "v" .. version:id())
    check.equal(tostring(version), version:string())
    check.is_true(version == registry.current_version() and before < version)
    local versions = registry.versions()
    check.equal(versions[#versions]:id(), version:id())
    check.is_nil(versions[1]:previous())
    local history = registry.history()
    check.equal(#history:versions(), #versions)
    check.equal(history:get_version(before:id()):id(), before:id())
    check.fails("NotFound", history:get_version(99999))
    check.fails("NotFound", history:snapshot_at(before):get("registry.test:version"))
    check.equal(history:snapshot_at(version):get("registry.test:version").kind, "registry.entry")
    check.fails("NotFound", registry.snapshot_at(99999))
    check.equal(registry.snapshot_at(before:id()):version():id(), before:id())
    must(function(changes)
        changes:delete({ ns = "registry.test", name = "version" })
    end)
end)

check.case("a change set creates, updates and deletes as a whole", function()
    local version = must(function(changes)
        check.is_true(changes:create(free("a", { value = 1 })) == changes, "create gives the change set")
        changes:create(free("b")):create(free("c"))
        changes:delete("registry.test:c")
        local operations = changes:ops()
        check.equal(#operations, 4)
        check.equal(operations[1].kind, "entry.create")
        check.equal(operations[1].entry.id, "registry.test:a")
        check.equal(operations[4], { kind = "entry.delete", entry = { id = "registry.test:c" } })
    end)
    check.is_true(version:id() > 1)
    check.equal(ids(registry.snapshot():namespace("registry.test")), { "registry.test:a", "registry.test:b" })
    must(function(changes)
        changes:update({ id = "registry.test:a", kind = "registry.entry", meta = { updated = true }, data = { new_value = true } })
        changes:delete("registry.test:b")
    end)
    local entry = registry.get("registry.test:a")
    check.equal({ entry.meta, entry.data }, { { updated = true }, { new_value = true } })
    check.fails("NotFound", registry.get("registry.test:b"))
    must(function(changes)
        changes:delete("registry.test:a")
    end)
end)

check.case("rejected, nothing changes, and the error says all that is wrong", function()
    local before = registry.current_version():id()
    local _, err = apply(function(changes)
        changes:create(free("fine"))
        changes:create({ id = "registry.test:service", kind = "process.service", data = { process = "registry.test:gone", host = "x:y" } })
        changes:create({ id = "registry.test:code", kind = "function.lua", data = { source = "return function( end" } })
        changes:create({ id = "registry.test:what", kind = "no.such.kind" })
    end)
    check.fails("Invalid", nil, err)
    for _, part in ipairs({ "registry.test:gone", "x:y", "registry.test:code", "no.such.kind" }) do
        check.contains(err, part)
    end
    check.is_true(#err:details().problems >= 4)
    check.fails("NotFound", registry.get("registry.test:fine"))
    check.equal(registry.current_version():id(), before)
    check.fails("AlreadyExists", apply(function(changes)
        changes:create({ id = "registry:config", kind = "registry.entry" })
    end))
    check.fails("NotFound", apply(function(changes)
        changes:update(free("nobody"))
    end))
    local missing = check.fails("NotFound", apply(function(changes)
        changes:delete("registry.test:one")
        changes:delete("registry.test:two")
    end))
    check.contains(missing, "registry.test:one")
    check.contains(missing, "registry.test:two")
    local wrong = check.fails("Invalid", apply(function(changes)
        changes:create({ id = "no-namespace", kind = "registry.entry" })
        changes:create({ id = "registry.test:kindless" })
    end))
    check.contains(wrong, "no-namespace")
    check.contains(wrong, "registry.test:kindless")
end)

check.case("no changes are Invalid", function()
    check.fails("Invalid", apply(function() end))
    check.fails("Invalid", apply(function(changes)
        changes:create(free("x")):delete("registry.test:x")
    end))
    check.raises("bad argument #1 to 'create' (table expected", function()
        registry.snapshot():changes():create("x")
    end)
end)

check.case("apply_version goes back and forth", function()
    local first = must(function(changes)
        changes:create(free("travel", { value = 1 }))
    end)
    local second = must(function(changes)
        changes:update(free("travel", { value = 2 }))
    end)
    check.is_true(registry.apply_version(second:previous()))
    check.equal(registry.get("registry.test:travel").data, { value = 1 })
    check.equal(registry.current_version():id(), first:id())
    check.is_true(registry.apply_version(second:id()))
    check.equal(registry.get("registry.test:travel").data, { value = 2 })
    check.fails("NotFound", registry.apply_version(99999))
    check.raises("bad argument #1 to 'apply_version'", registry.apply_version, "x")
    must(function(changes)
        changes:delete("registry.test:travel")
    end)
end)

check.case("build_delta says how to get from one state to another", function()
    local from = { free("a", { value = 1 }), free("b"), free("same") }
    local to = { free("a", { value = 2 }), free("same"), free("c") }
    local found = {}
    for index, operation in ipairs(registry.build_delta(from, to)) do
        found[index] = operation.kind .. " " .. operation.entry.id
    end
    check.equal(found, {
        "entry.delete registry.test:b",
        "entry.update registry.test:a",
        "entry.create registry.test:c",
    })
    check.equal(registry.build_delta(from, from), {})
    check.fails("Invalid", registry.build_delta({ { kind = "x" } }, {}))
end)

check.case("code made at run time runs at once, with the modules it names", function()
    must(function(changes)
        changes:create({
            id = "registry.test:double",
            kind = "function.lua",
            meta = { type = "tool" },
            data = { source = "return { handler = function(n) return n * 2 end }", method = "handler", modules = {} },
        })
    end)
    check.equal(funcs.call("registry.test:double", 21), 42)
    must(function(changes)
        changes:update({
            id = "registry.test:double",
            kind = "function.lua",
            data = { source = "return { handler = function(n) return n * 3 end }", method = "handler" },
        })
    end)
    check.equal(funcs.call("registry.test:double", 21), 63)
    must(function(changes)
        changes:delete("registry.test:double")
    end)
    check.fails("NotFound", funcs.call("registry.test:double", 21))
end)

check.case("a library that changes is new for the next call", function()
    local function library(value)
        return { id = "registry.test:lib", kind = "library.lua", data = { source = "return " .. value } }
    end
    must(function(changes)
        changes:create(library(1))
        changes:create({
            id = "registry.test:uses",
            kind = "function.lua",
            data = { source = "return { run = function() return require('lib') end }", method = "run", imports = { lib = "registry.test:lib" } },
        })
    end)
    check.equal(funcs.call("registry.test:uses"), 1)
    must(function(changes)
        changes:update(library(2))
    end)
    check.equal(funcs.call("registry.test:uses"), 2)
    must(function(changes)
        changes:delete("registry.test:uses"):delete("registry.test:lib")
    end)
end)

check.case("hot replacement fails no call", function()
    local function hot(value)
        local source = ("return { run = function() return %d end }"):format(value)
        return { id = "registry.test:hot", kind = "function.lua", data = { source = source, method = "run" } }
    end
    must(function(changes)
        changes:create(hot(0))
    end)
    process.registry.register("registry.main")
    local started = process.listen("started")
    local callers = {}
    for index = 1, 4 do
        callers[index] = check.watch("registry:caller", "registry.test:hot")
    end
    for _ = 1, 4 do
        check.receive(started)
    end
    for value = 1, 30 do
        must(function(changes)
            changes:update(hot(value))
        end)
        check.equal(funcs.call("registry.test:hot"), value, "new code serves at once")
    end
    for _, pid in ipairs(callers) do
        process.send(pid, "stop", true)
        local result = check.event(process.event.EXIT, pid).result
        check.is_nil(result.error)
        check.is_true(result.value.calls > 0)
    end
    must(function(changes)
        changes:delete("registry.test:hot")
    end)
end)

check.case("hosts, processes and services made at run time are live", function()
    must(function(changes)
        changes:create({ id = "registry.test:pool", kind = "process.host", data = { limits = { memory = "8MB" } } })
        changes:create({
            id = "registry.test:echo",
            kind = "process.lua",
            data = {
                source = "return { main = function(to, text) process.send(to, 'echo', text) process.events():receive() end }",
                method = "main",
            },
        })
        changes:create({
            id = "registry.test:service",
            kind = "process.service",
            data = {
                process = "registry.test:echo",
                host = "registry.test:pool",
                input = { process.pid(), "from the service" },
                lifecycle = { auto_start = true },
            },
        })
    end)
    local echo = process.listen("echo")
    check.equal(check.receive(echo), "from the service")
    local pid = process.spawn("registry.test:echo", "registry.test:pool", process.pid(), "from the process")
    check.contains(pid, "registry.test:pool")
    check.equal(check.receive(echo), "from the process")
    process.terminate(pid)
    must(function(changes)
        changes:delete("registry.test:service"):delete("registry.test:echo"):delete("registry.test:pool")
    end)
end)

check.case("large change sets and listings cross in parts", function()
    local text = ("x"):rep(20000)
    must(function(changes)
        for index = 1, 150 do
            changes:create(free(("large%03d"):format(index), { text = text }))
        end
    end)
    local entries = registry.find({ [".ns"] = "registry.test" })
    check.equal(#entries, 150)
    check.equal(#entries[150].data.text, 20000)
    check.equal(entries[150].id, "registry.test:large150")
    must(function(changes)
        for index = 1, 150 do
            changes:delete(("registry.test:large%03d"):format(index))
        end
    end)
end)

check.case("values that entries cannot hold are refused", function()
    local function wrong(data)
        return check.fails("Invalid", apply(function(changes)
            changes:create(free("wrong", data))
        end))
    end
    check.contains(wrong({ bytes = "\255" }), "data.bytes")
    check.contains(wrong({ number = 0 / 0 }), "data.number")
    check.contains(
        check.fails("Invalid", apply(function(changes)
            changes:create({ id = "registry.test:file", kind = "function.lua", data = { source = "file://x.lua" } })
        end)),
        "data.source"
    )
end)

check.case("policies decide what is read, applied, sent and heard", function()
    local scope = security.new_scope({ security.policy("registry:reader") })
    local spawner = process.with_context({}):with_actor(security.new_actor("somebody")):with_scope(scope)
    local result, err = spawner:exec("registry:limited", "lib:processes")
    check.is_nil(err)
    check.equal(result, {
        get = "allowed",
        get_other = "PermissionDenied",
        find = 1,
        apply = "PermissionDenied",
        apply_version = "PermissionDenied",
        send = "PermissionDenied",
        subscribe = "allowed",
        subscribe_other = "PermissionDenied",
    })
end)

local function tenant(operation, entry)
    local result, err = process.exec("registry.tenant:writer", "registry:bounded", operation, entry)
    if err then
        error(tostring(err), 2)
    end
    return result
end

local function denied(operation, entry, part)
    local result = tenant(operation, entry)
    if result.ok then
        error("this was allowed", 2)
    end
    check.equal(result.kind, "PermissionDenied")
    check.contains(result.message, part)
end

check.case("code on a bounded host writes and runs under the ceiling of that host", function()
    local made = tenant("create", {
        id = "registry.tenant:made",
        kind = "function.lua",
        data = { source = "return { run = function() return 'mine' end }", method = "run", modules = { "json" } },
    })
    check.is_true(made.ok, made.message)
    check.equal(registry.get("registry.tenant:made").meta.default_host, "registry:bounded")
    check.equal(tenant("call", "registry.tenant:made").result, "mine")
    check.is_true(tenant("delete", "registry.tenant:made").ok)
end)

check.case("code on a bounded host cannot write beyond its ceiling", function()
    local code = { source = "return { run = function() end }", method = "run" }
    denied("create", { id = "registry.test:x", kind = "registry.entry" }, "namespace `registry.test`")
    denied("update", { id = "registry:config", kind = "registry.entry" }, "namespace `registry`")
    denied("delete", "registry:config", "namespace `registry`")
    denied("create", { id = "registry.tenant:h", kind = "process.host" }, "process.host")
    denied("create", {
        id = "registry.tenant:p",
        kind = "security.policy",
        data = { policy = { actions = "*", resources = "*", effect = "allow" } },
    }, "security.policy")
    denied("create", { id = "registry.tenant:f", kind = "function.lua", data = { source = code.source, method = "run", modules = { "time" } } }, "module `time`")
    denied("create", {
        id = "registry.tenant:f",
        kind = "function.lua",
        data = { source = code.source, method = "run", imports = { strong = "registry.tenant:strong" } },
    }, "through `registry.tenant:strong`")
    denied("create", {
        id = "registry.tenant:f",
        kind = "function.lua",
        data = { source = code.source, method = "run", imports = { strong = "registry:unbounded" } },
    }, "registry:unbounded")
    denied("create", {
        id = "registry.tenant:f",
        kind = "function.lua",
        meta = { default_host = "lib:processes" },
        data = code,
    }, "default_host")
    denied("create", {
        id = "registry.tenant:s",
        kind = "process.service",
        data = { process = "registry.tenant:writer", host = "lib:processes" },
    }, "registry:bounded")
    local large = tenant("create", {
        id = "registry.tenant:f",
        kind = "function.lua",
        data = { source = code.source, method = "run", limits = { memory = "1GB" } },
    })
    check.equal({ large.ok, large.kind }, { false, "Invalid" })
    check.contains(large.message, "limits.memory")
    check.equal(#registry.snapshot():namespace("registry.tenant"), 2)
end)

check.case("code on a bounded host sees its namespaces only, and starts nothing on other hosts", function()
    denied("get", "registry:config", "namespace `registry`")
    check.equal(tenant("find", { [".kind"] = "library.lua" }), { "registry.tenant:strong" })
    check.equal(tenant("spawn", { "registry.tenant:writer", "lib:processes" }), { ok = false, kind = "PermissionDenied" })
end)

check.case("code on a bounded host cannot go to a version that changes other namespaces", function()
    local before = registry.current_version():id()
    must(function(changes)
        changes:create(free("foreign"))
    end)
    denied("apply_version", before, "namespace `registry.test`")
    check.equal(registry.get("registry.test:foreign").kind, "registry.entry")
    must(function(changes)
        changes:delete("registry.test:foreign")
    end)
end)

return { main = check.main }
