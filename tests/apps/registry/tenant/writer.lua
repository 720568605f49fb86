local registry = require("registry")
local funcs = require("funcs")

-- Applies one operation and gives what came of it as plain data.
local function main(operation, entry)
    if operation == "get" then
        local found, err = registry.get(entry)
        return { ok = found ~= nil, kind = err and err:kind(), message = err and tostring(err) }
    elseif operation == "find" then
        local ids = {}
        for index, found in ipairs(registry.find(entry)) do
            ids[index] = found.id
        end
        return ids
    elseif operation == "call" then
        local result, err = funcs.call(entry)
        return { ok = err == nil, result = result, message = err and tostring(err) }
    elseif operation == "spawn" then
        local pid, err = process.spawn(entry[1], entry[2])
        return { ok = pid ~= nil, kind = err and err:kind() }
    elseif operation == "apply_version" then
        local ok, err = registry.apply_version(entry)
        return { ok = ok, kind = err and err:kind(), message = err and tostring(err) }
    end
    local changes = registry.snapshot():changes()
    changes[operation](changes, entry)
    local version, err = changes:apply()
    return { ok = version ~= nil, kind = err and err:kind(), message = err and tostring(err) }
end

return { main = main }
