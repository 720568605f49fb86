local funcs = funcs -- nothing where the entry does not name the module

-- Calls a function again and again until it is told to stop, and counts what it gave.
local function caller(id)
    local stop = process.listen("stop")
    local seen, calls = {}, 0
    while true do
        local ready = channel.select({ stop:case_receive(), default = true })
        if not ready.default then
            return { calls = calls, seen = seen }
        end
        local value, err = funcs.call(id)
        if err then
            return nil, err
        end
        calls = calls + 1
        seen[tostring(value)] = (seen[tostring(value)] or 0) + 1
        if calls == 1 then
            process.send(ready.value or "registry.main", "started", true)
        end
    end
end

-- Tries what its policies may not allow, and gives what came of it.
local function limited()
    local function kind(value, err)
        return value == nil and err:kind() or "allowed"
    end
    local changes = registry.snapshot():changes():create({ id = "registry.test:x", kind = "registry.entry" })
    return {
        get = kind(registry.get("registry:config")),
        get_other = kind(registry.get("registry:other")),
        find = #registry.find({ [".ns"] = "registry" }),
        apply = kind(changes:apply()),
        apply_version = kind(registry.apply_version(1)),
        send = kind(events.send("news", "kind", "/")),
        subscribe = kind(events.subscribe("news")),
        subscribe_other = kind(events.subscribe("other")),
    }
end

return { caller = caller, limited = limited }
