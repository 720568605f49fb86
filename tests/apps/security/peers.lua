local security = require("security")
local funcs = require("funcs")
local env = require("env")
local store = require("store")

local acts = {
    call = function(id)
        return funcs.call(id)
    end,
    call_with_context = function()
        local with, err = funcs.new():with_context({ a = 1 })
        if err then
            return nil, err
        end
        return with:call("security:who")
    end,
    call_as_other = function()
        local actor, err = security.new_actor("other")
        if err then
            return nil, err
        end
        local with
        with, err = funcs.new():with_actor(actor)
        if err then
            return nil, err
        end
        return with:call("security:who")
    end,
    new_actor = security.new_actor,
    new_scope = function()
        return security.new_scope()
    end,
    policy = security.policy,
    named_scope = security.named_scope,
    token_store = security.token_store,
    spawn = function(...)
        return process.spawn("security:worker", "lib:processes", ...)
    end,
    spawn_monitored = function(...)
        return process.spawn_monitored("security:worker", "lib:processes", ...)
    end,
    spawn_named = function(...)
        return process.with_options({}):with_name("security.named"):spawn("security:worker", "lib:processes", ...)
    end,
    exec = function(...)
        return process.exec("security:worker", "lib:processes", ...)
    end,
    send = function(to)
        return process.send(to, "topic", 1)
    end,
    terminate = function(to)
        return process.terminate(to)
    end,
    register = function(name)
        return process.registry.register(name)
    end,
    context = function()
        local with, err = process.with_context({ a = 1 })
        return with and true, err
    end,
    env = env.get,
    env_set = env.set,
    env_all = env.get_all,
    store_set = function(key)
        local s, err = store.get("security:token_data")
        if err then
            return nil, err
        end
        return s:set(key, 1)
    end,
    can = security.can,
    message_self = function()
        return process.send(process.pid(), "topic", 1)
    end,
}

-- Does something and gives back whether it worked. Values of the module are told, not given.
local function act(name, ...)
    local value, err = acts[name](...)
    if err then
        return nil, err
    end
    return type(value) == "userdata" and "made" or value
end

local function who()
    local actor, scope = security.actor(), security.scope()
    local policies = {}
    for _, policy in ipairs(scope and scope:policies() or {}) do
        table.insert(policies, policy:id())
    end
    return { id = actor and actor:id(), meta = actor and actor:meta(), policies = scope and policies }
end

local function worker(what, ...)
    if what == "who" then
        return who()
    end
    return act(what or "can", ...)
end

-- A service that tells who it is, and what became of acts that it was asked for.
local function answers()
    local inbox, events = process.inbox(), process.events()
    process.registry.register("security answers")
    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == events then
            return
        end
        local message = ready.value
        local value, err = nil, nil
        if message:topic() == "who" then
            value = who()
        else
            value, err = act(message:topic(), message:payload():data())
        end
        process.send(message:from(), "answer", { value = value, kind = err and err:kind() })
    end
end

return { answers = answers, act = act, who = who, worker = worker }
