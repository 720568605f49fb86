local security = require("security")
local funcs = require("funcs")
local registry = require("registry")
local store = require("store")
local time = require("time")
local check = require("check")

local HOST = "lib:processes"
local alice = security.new_actor("alice", { role = "editor", clearance = 1, tags = { "a", "b" } })

local function policy(id)
    local found, err = security.policy("security:" .. id)
    check.is_nil(err)
    return found
end

-- A scope of these policies, and calls within it.
local function scope(...)
    local policies = {}
    for _, id in ipairs({ ... }) do
        table.insert(policies, policy(id))
    end
    return security.new_scope(policies)
end

local function as_alice(...)
    return funcs.new():with_actor(alice):with_scope(scope(...))
end

check.case("an actor has an id and metadata", function()
    check.equal({ alice:id(), alice:meta() }, { "alice", { role = "editor", clearance = 1, tags = { "a", "b" } } })
    check.equal(security.new_actor("plain"):meta(), {})
    check.equal(security.new_actor("empty", {}):meta(), {})
    check.fails("Invalid", security.new_actor(""))
    check.fails("Invalid", security.new_actor(string.rep("x", 600)))
    check.raises("string expected", security.new_actor)
    check.raises("table expected", security.new_actor, "a", 1)
end)

check.case("a process that acts for nobody has neither actor nor scope, and may do everything", function()
    check.is_nil(security.actor())
    check.is_nil(security.scope())
    check.is_true(security.can("anything", "at all"))
end)

check.case("policies say allow, deny or undefined", function()
    local read = policy("read_all")
    check.equal(read:id(), "security:read_all")
    check.equal(read:evaluate(alice, "users.read", "x"), "allow")
    check.equal(read:evaluate(alice, "users.write", "x"), "undefined")
    local secrets = policy("no_secrets")
    check.equal(secrets:evaluate(alice, "read", "document:1", { classification = "confidential" }), "deny")
    check.equal(secrets:evaluate(alice, "read", "document:1", { classification = "public" }), "undefined")
    local editors = policy("editors")
    check.equal(editors:evaluate(alice, "write", "file:1"), "allow")
    check.equal(editors:evaluate(alice, "read", "file:1"), "undefined")
    check.equal(editors:evaluate(alice, "read", "file:1", { public = true }), "allow")
    check.raises("actor expected", read.evaluate, read, nil, "a", "b")
end)

check.case("policies and groups that are not there are errors", function()
    check.contains(check.fails("Internal", security.policy("security:none")), "security:none")
    check.fails("Internal", security.policy("security:main"))
    check.contains(check.fails("Internal", security.named_scope("security:none")), "groups: [security:none]")
    check.fails("Invalid", security.policy(""))
end)

check.case("a group is a scope of its policies", function()
    local writers = security.named_scope("security:writers")
    check.equal(#writers:policies(), 2)
    check.is_true(writers:contains("security:own_documents"))
    check.is_true(writers:contains(policy("no_secrets")))
    check.is_true(writers:contains({ ns = "security", name = "own_documents" }))
    check.equal(writers:contains("security:read_all"), false)
    local own = { owner = "alice" }
    check.equal(writers:evaluate(alice, "write", "document:1", own), "allow")
    check.equal(writers:evaluate(alice, "write", "document:1", { owner = "bob" }), "undefined")
    own.classification = "confidential"
    check.equal(writers:evaluate(alice, "write", "document:1", own), "deny")
end)

check.case("scopes are immutable", function()
    local empty = security.new_scope()
    local one = empty:with(policy("read_all"))
    local two = one:with(policy("everything")):with(policy("read_all"))
    check.equal({ #empty:policies(), #one:policies(), #two:policies() }, { 0, 1, 2 })
    check.equal(#two:without("security:read_all"):policies(), 1)
    check.equal(#two:without(policy("everything")):policies(), 1)
    check.equal(#two:without({ ns = "security", name = "everything" }):policies(), 1)
    check.equal(#two:policies(), 2)
    check.equal(empty:evaluate(alice, "a", "b"), "undefined")
    check.raises("policy expected", one.with, one, "security:everything")
    check.raises("list of policies expected", security.new_scope, { "security:everything" })
end)

check.case("calls have the actor and the scope they are given, and hand them on", function()
    local made = as_alice("calls", "read_all")
    local expected = { id = "alice", meta = alice:meta(), policies = { "security:calls", "security:read_all" } }
    check.equal(made:call("security:who"), expected)
    check.equal(made:call("security:act", "call", "security:who"), expected)
    check.equal(made:call("security:act", "exec", "who"), expected)
    check.equal(funcs.new():with_actor(alice):call("security:who"), { id = "alice", meta = alice:meta() })
    check.equal(funcs.new():with_scope(scope("calls")):call("security:who"), { policies = { "security:calls" } })
    check.equal(funcs.call("security:who"), {})
end)

check.case("spawned processes have the actor and the scope they are given", function()
    local spawner = process.with_context({}):with_actor(alice):with_scope(scope("calls"))
    check.equal(spawner:exec("security:worker", HOST, "who").id, "alice")
    check.equal(process.with_options({}):with_actor(alice):exec("security:worker", HOST, "who").id, "alice")
    local pid = spawner:spawn_monitored("security:worker", HOST, "who")
    check.equal(check.event(process.event.EXIT, pid).result.value.policies, { "security:calls" })
end)

check.case("nothing that a program writes down passes for an actor", function()
    local made = funcs.new()
    for _, fake in ipairs({ "alice", { id = "alice" }, scope("calls"), store.get("security:token_data") }) do
        check.raises("Actor expected", made.with_actor, made, fake)
    end
    check.raises("Scope expected", made.with_scope, made, alice)
    check.raises("Actor expected, got nil", made.with_actor, made, nil)
    check.fails("Invalid", funcs.new():with_options({ ["@actor"] = { id = "root" } }):call("security:who"))
    check.fails("Invalid", funcs.new():with_options({ ["@actor"] = scope("calls") }):call("security:who"))
    check.contains(check.fails("Invalid", process.send(process.pid(), "topic", alice)), "payload")
end)

-- Each act, and what it needs in the scope of whoever acts.
local guarded = {
    { "call", "funcs.call", "security:who" },
    { "call_with_context", "funcs.context" },
    { "new_actor", "security.actor.create", "bob" },
    { "new_scope", "security.scope.create" },
    { "policy", "security.policy.get", "security:calls" },
    { "named_scope", "security.policy_group.get", "security:all" },
    { "token_store", "security.token_store.get", "security:tokens" },
    { "spawn", "process.spawn" },
    { "spawn_monitored", "process.spawn" },
    { "exec", "process.exec" },
    { "terminate", "process.terminate", "PID" },
    { "send", "process.send", "PID" },
    { "register", "process.registry.register", "a name" },
    { "context", "process.context" },
    { "env", "env.get", "SECURITY_NAME" },
    { "env_set", "env.set", "SECURITY_NAME", "x" },
    { "store_set", "store.get", "key" },
}

for _, guard in ipairs(guarded) do
    local act, action = guard[1], guard[2]
    check.case(act .. " needs " .. action, function()
        local argument = guard[3] == "PID" and process.pid() or guard[3]
        local err = check.fails("PermissionDenied", as_alice("own_documents"):call("security:act", act, argument, guard[4]))
        check.contains(err, "`" .. action .. "`")
        check.contains(err, "`alice`")
        check.contains(err, "actions: " .. action)
        check.equal(err:retryable(), false)
    end)
end

check.case("a scope that allows everything allows all of it", function()
    local free = as_alice("everything")
    check.equal(free:call("security:act", "call", "security:who").id, "alice")
    check.equal(free:call("security:act", "call_with_context").id, "alice")
    check.equal(free:call("security:act", "call_as_other").id, "other")
    check.equal(free:call("security:act", "new_actor", "bob"), "made")
    check.equal(free:call("security:act", "env", "SECURITY_NAME"), "a name")
    check.equal(free:call("security:act", "store_set", "key"), true)
    check.equal(free:call("security:act", "exec", "who").id, "alice")
end)

check.case("one missing action is enough", function()
    check.contains(
        check.fails("PermissionDenied", as_alice("calls"):call("security:act", "spawn_monitored")),
        "process.spawn.monitored"
    )
    check.contains(check.fails("PermissionDenied", as_alice("calls"):call("security:act", "call_as_other")), "security.actor.create")
end)

check.case("who may spawn may name what is spawned, and yet not take a name itself", function()
    check.equal(type(assert(as_alice("calls", "contexts"):call("security:act", "spawn_named", "who"))), "string")
    check.fails("PermissionDenied", as_alice("calls"):call("security:act", "register", "a name"))
end)

check.case("a policy that denies wins, and the error names it", function()
    local err = check.fails("PermissionDenied", as_alice("everything", "no_worker"):call("security:act", "exec", "who"))
    check.contains(err, "security:no_worker")
end)

check.case("a variable that is denied under one name is denied under the other", function()
    local made = as_alice("everything", "no_token_env")
    check.fails("PermissionDenied", made:call("security:act", "env", "SECURITY_KEY"))
    check.fails("PermissionDenied", made:call("security:act", "env", "security:key"))
    local all = made:call("security:act", "env_all")
    check.equal({ all.SECURITY_KEY, all.SECURITY_NAME }, { nil, "a name" })
end)

check.case("can tells without an attempt", function()
    local made = as_alice("own_documents", "no_secrets")
    local function can(...)
        return made:call("security:act", "can", ...)
    end
    check.equal(can("write", "document:1", { owner = "alice" }), true)
    check.equal(can("write", "document:1", { owner = "bob" }), false)
    check.equal(can("write", "document:1"), false)
    check.equal(can("write", "document:1", { owner = "alice", classification = "confidential" }), false)
end)

check.case("a process may send to itself whatever its policies", function()
    check.equal(as_alice("own_documents"):call("security:act", "message_self"), true)
end)

check.case("a token stands for an actor and a scope", function()
    local tokens, err = security.token_store("security:tokens")
    check.is_nil(err)
    local writers = security.named_scope("security:writers")
    local token = tokens:create(alice, writers, { expiration = "24h", meta = { device = "test" } })
    check.match(token, "^[%w_-]+%.%x+$")
    local actor, got, wrong = tokens:validate(token)
    check.is_nil(wrong)
    check.equal({ actor:id(), actor:meta() }, { "alice", alice:meta() })
    check.equal(#got:policies(), 2)
    check.equal(funcs.new():with_actor(actor):with_scope(got):call("security:who").id, "alice")
    check.is_true(token ~= tokens:create(alice, writers))
    check.equal({ tokens:revoke(token) }, { true })
    actor, got, wrong = tokens:validate(token)
    check.equal({ actor, got }, {})
    check.equal({ wrong:kind(), wrong:retryable() }, { "Internal", false })
end)

check.case("a token that was made up or changed is not valid", function()
    local tokens = security.token_store("security:tokens")
    local token = tokens:create(alice, security.new_scope())
    for _, wrong in ipairs({ "", "x", token .. "0", "a" .. token, (token:gsub("%..*", "")), (token:gsub("%..*", ".00")) }) do
        local actor, _, err = tokens:validate(wrong)
        check.is_nil(actor)
        check.contains(err, "not valid")
    end
    check.fails("Internal", tokens:revoke("x"))
    -- A key of its own, and a store of its own.
    local unsigned = security.token_store("security:unsigned")
    local plain = unsigned:create(alice, security.new_scope())
    check.match(plain, "^[%w_-]+$")
    check.equal(unsigned:validate(plain):id(), "alice")
    check.is_nil((tokens:validate(plain)))
    check.is_nil((unsigned:validate(token)))
    local directive = security.token_store("security:by_directive")
    check.match(directive:create(alice, security.new_scope()), "%.")
end)

check.case("a token ends in time", function()
    local tokens = security.token_store("security:tokens")
    local function expires(value)
        return tokens:create(alice, security.new_scope(), { expiration = value })
    end
    for _, fine in ipairs({ "1h30m", "7d", 60000 }) do
        check.equal(tokens:validate(expires(fine)):id(), "alice")
    end
    for _, wrong in ipairs({ "soon", "", -1, 0, "0s" }) do
        check.contains(check.fails("Invalid", expires(wrong)), "expiration")
    end
    local token = expires(1)
    local actor, valid
    repeat
        actor, valid = tokens:validate(token)
    until not actor
    check.is_nil(valid)
end)

check.case("a token store that is closed, or not there, answers with an error", function()
    local tokens = security.token_store("security:tokens")
    check.is_true(tokens:close())
    check.is_true(tokens:close())
    check.contains(check.fails("Internal", tokens:create(alice, security.new_scope())), "closed")
    local _, _, err = tokens:validate("x")
    check.equal(err:kind(), "Internal")
    check.fails("Invalid", security.token_store(""))
    check.fails("Internal", security.token_store("security:none"))
    check.contains(check.fails("Internal", security.token_store("security:broken_tokens")), "SECURITY_NONE")
end)

check.case("a service acts as its entry says", function()
    local service
    for _ = 1, 2000 do
        service = process.registry.lookup("security answers")
        if service then
            break
        end
        time.sleep("5ms")
    end
    local answers = process.listen("answer")
    local function ask(...)
        check.is_true(process.send(service, ...))
        return (check.receive(answers))
    end
    check.equal(ask("who").value, {
        id = "service:answers",
        meta = { role = "answerer" },
        policies = { "security:read_all", "security:talks" },
    })
    check.equal(ask("env", "SECURITY_NAME").value, "a name")
    check.equal(ask("call", "security:who").kind, "PermissionDenied")
end)

check.case("policies follow the registry", function()
    local function change(what, entry)
        local changes = registry.snapshot():changes()
        changes[what](changes, entry)
        local version, err = changes:apply()
        check.is_nil(err)
        return version
    end
    local entry = {
        id = "security:changing",
        kind = "security.policy",
        meta = {},
        data = { policy = { actions = "a", resources = "*", effect = "allow" }, groups = { "changing" } },
    }
    change("create", entry)
    check.equal(policy("changing"):evaluate(alice, "a", "b"), "allow")
    check.equal(#security.named_scope("security:changing"):policies(), 1)
    entry.data.policy.effect = "deny"
    change("update", entry)
    check.equal(policy("changing"):evaluate(alice, "a", "b"), "deny")
    change("delete", "security:changing")
    check.fails("Internal", security.policy("security:changing"))
    check.fails("Internal", security.named_scope("security:changing"))
end)

return { main = check.main }
