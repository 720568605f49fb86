-- The objects of the module `contract`: definitions, and open bindings whose methods call functions.
local native, kit = ...

local funcs = kit.module("funcs")

-- What stands behind an instance; a program sees methods only.
local opened = setmetatable({}, { __mode = "k" })

local function invalid(message)
    return nil, errors.new({ message = message, kind = errors.INVALID, retryable = false })
end

local function copy(...)
    local all = {}
    for number = 1, select("#", ...) do
        for key, value in pairs((select(number, ...)) or {}) do
            all[key] = value
        end
    end
    return all
end

-- Query parameters of a binding's id, with what looks like a number or boolean as one.
local function query(text)
    local id, rest = text:match("^([^?]*)%?(.*)$")
    if not id then
        return text, {}
    end
    local values = {}
    for pair in rest:gmatch("[^&]+") do
        local key, value = pair:match("^([^=]*)=?(.*)$")
        local function plain(part)
            return (part:gsub("+", " "):gsub("%%(%x%x)", function(hex)
                return string.char(tonumber(hex, 16))
            end))
        end
        key, value = plain(key), plain(value)
        if value == "true" or value == "false" then
            values[key] = value == "true"
        elseif value:match("^[+-]?%d+$") or value:match("^[+-]?%d*%.%d+$") then
            values[key] = tonumber(value)
        else
            values[key] = value
        end
    end
    return id, values
end

local function executor(inner, method)
    local exec = funcs.new()
    if inner.actor ~= nil then
        local err
        exec, err = exec:with_actor(inner.actor)
        if not exec then
            return nil, err
        end
    end
    if inner.scope ~= nil then
        local err
        exec, err = exec:with_scope(inner.scope)
        if not exec then
            return nil, err
        end
    end
    if next(inner.context) ~= nil then
        exec = exec:with_context(inner.context)
    end
    local options = copy(inner.options)
    options["@binding"], options["@method"] = inner.id, method
    return exec:with_options(options)
end

-- A name in a message; a long one is cut between two characters.
local function shown(name)
    name = tostring(name)
    return #name > 100 and name:sub(1, utf8.offset(name, 0, 100) - 1) .. "..." or name
end

local function unknown(inner, name)
    local message = ("`%s` has no method `%s`"):format(inner.id, shown(name))
    return nil, errors.new({ message = message, kind = errors.NOT_FOUND, retryable = false })
end

-- What `instance:name(...)` calls.
local function caller(called)
    return function(self, ...)
        local inner = opened[self]
        if not inner then
            error(("call methods with a colon: instance:%s(...)"):format(shown(called)), 2)
        end
        local name, async = called, false
        local method = inner.methods[name]
        if not method and name:sub(-6) == "_async" then
            name, async = name:sub(1, -7), true
            method = inner.methods[name]
        end
        if not method then
            return unknown(inner, name)
        end
        local exec, err = executor(inner, name)
        if not exec then
            return nil, err
        end
        if async then
            return exec:async(method["function"], ...)
        end
        local value
        value, err = exec:call(method["function"], ...)
        if err ~= nil then
            return nil, err
        end
        return value
    end
end

local callers = {}
local Instance = {
    __name = "contract.Instance",
    __metatable = false,
    __index = function(_, name)
        if type(name) ~= "string" then
            return nil
        end
        local found = callers[name]
        if not found then
            found = caller(name)
            callers[name] = found
        end
        return found
    end,
    __newindex = function()
        error("an open contract cannot be changed", 2)
    end,
    __tostring = function(self)
        return "contract.Instance(" .. opened[self].id .. ")"
    end,
}

local function open(id, contract, context, options, with)
    local binding, err = native.open(id, contract)
    if not binding then
        return nil, err
    end
    for _, name in ipairs(binding.required) do
        if context[name] == nil then
            return invalid(("`%s` needs the context value `%s`"):format(id, name))
        end
    end
    local instance = setmetatable({}, Instance)
    opened[instance] = {
        id = binding.id,
        contracts = binding.contracts,
        methods = binding.methods,
        context = context,
        options = options,
        actor = with and with.actor,
        scope = with and with.scope,
    }
    return instance
end

local function check_table(value, number, name)
    if value ~= nil and type(value) ~= "table" then
        error(("bad argument #%d to '%s' (table expected, got %s)"):format(number, name, type(value)), 3)
    end
    return value
end

-- Definitions: what `get` returns, immutable.
local facts = setmetatable({}, { __mode = "k" })
local Contract = {}
Contract.__index = Contract
Contract.__name = "contract.Contract"
Contract.__metatable = false
Contract.__newindex = function()
    error("a contract cannot be changed; its methods return changed ones", 2)
end
Contract.__tostring = function(self)
    return "contract.Contract(" .. facts[self].id .. ")"
end

local function make(inner)
    local contract = setmetatable({}, Contract)
    facts[contract] = inner
    return contract
end

local function of(self)
    return facts[self] or error("call methods with a colon: contract:method(...)", 3)
end

-- A contract like this one with some fields changed, if the act is allowed.
local function changed(self, action, resource, fields)
    local inner = of(self)
    if action then
        local ok, err = native.check(action, resource)
        if not ok then
            return nil, err
        end
    end
    return make(copy(inner, fields))
end

function Contract:id()
    return of(self).id
end

function Contract:methods()
    return of(self).methods
end

function Contract:method(name)
    local inner = of(self)
    for _, method in ipairs(inner.methods) do
        if method.name == name then
            return method
        end
    end
    return unknown(inner, name)
end

function Contract:implementations()
    return native.implementations(of(self).id)
end

function Contract:open(binding, scope)
    local inner = of(self)
    check_table(scope, 2, "open")
    local values = {}
    if binding == nil then
        local err
        binding, err = native.default(inner.id)
        if not binding then
            return nil, err
        end
    else
        binding, values = query(tostring(binding))
    end
    return open(binding, inner.id, copy(inner.context, values, scope), inner.options, inner)
end

function Contract:with_context(values)
    check_table(values or false, 1, "with_context")
    return changed(self, "contract.context", "context", { context = copy(of(self).context, values) })
end

function Contract:with_options(options)
    check_table(options or false, 1, "with_options")
    return changed(self, nil, nil, { options = copy(of(self).options, options) })
end

function Contract:with_actor(actor)
    return changed(self, "contract.security", "security", { actor = actor })
end

function Contract:with_scope(scope)
    return changed(self, "contract.security", "security", { scope = scope })
end

local module = {}

function module.get(id)
    local definition, err = native.get(id)
    if not definition then
        return nil, err
    end
    return make({ id = definition.id, methods = definition.methods, context = {}, options = {} })
end

function module.open(id, scope, options)
    check_table(scope, 2, "open")
    check_table(options, 3, "open")
    if type(id) ~= "string" then
        error(("bad argument #1 to 'open' (string expected, got %s)"):format(type(id)), 2)
    end
    local binding, values = query(id)
    return open(binding, nil, copy(values, scope), options or {})
end

function module.find_implementations(id)
    return native.implementations(id)
end

function module.is(instance, id)
    local inner = type(instance) == "table" and opened[instance]
    if not inner then
        return false
    end
    for _, contract in ipairs(inner.contracts) do
        if contract == id then
            return true
        end
    end
    return false
end

return module
