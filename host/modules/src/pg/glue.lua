-- The objects of the module `pg`.
local native, kit = ...

local scopes = setmetatable({}, { __mode = "k" })
local subscriptions = setmetatable({}, { __mode = "k" })

local function class(name)
    local made = { __name = name, __metatable = false }
    made.__index = made
    made.__newindex = function()
        error("it cannot be changed", 2)
    end
    return made
end

local Subscription = class("pg.Subscription")

function Subscription:channel()
    return subscriptions[self].channel
end

function Subscription:close(options)
    local inner = subscriptions[self]
    if inner.closed then
        return true
    end
    inner.closed = true
    inner.scope:unwatch(inner.number)
    -- Otherwise the channel closes by itself behind what is in it.
    if not (type(options) == "table" and options.flush) then
        kit.unfeed(inner.channel)
    end
    return true
end

local Instance = class("pg.Instance")

local function released()
    return errors.new({ message = "the scope was released: open it again", kind = errors.INVALID, retryable = false })
end

for _, name in ipairs({
    "join", "leave", "get_members", "get_local_members", "which_groups", "which_local_groups", "broadcast", "broadcast_local",
}) do
    Instance[name] = function(self, ...)
        local scope = scopes[self].scope
        if not scope then
            return nil, released()
        end
        return scope[name](scope, ...)
    end
end

local function watch(self, ...)
    local scope = scopes[self].scope
    if not scope then
        return nil, nil, released()
    end
    local watched, err = scope:watch(...)
    if not watched then
        return nil, nil, err
    end
    local subscription = setmetatable({}, Subscription)
    subscriptions[subscription] = { scope = scope, number = watched.number, channel = kit.feed(watched.topic) }
    return subscription, watched.snapshot
end

function Instance:monitor(group)
    return watch(self, "monitor", group)
end

function Instance:events()
    return watch(self, "events")
end

function Instance:release()
    local inner = scopes[self]
    if inner.scope then
        inner.scope:release()
        inner.scope = nil
    end
    return true
end

local module = {}

function module.open(id)
    local scope, err = native.open(id)
    if not scope then
        return nil, err
    end
    local instance = setmetatable({}, Instance)
    scopes[instance] = { scope = scope }
    return instance
end

return module
