local io = require("io")
local registry = require("registry")

-- Counts both entries up, always together, until somebody ends it.
local function writer(times)
    local value = registry.get("app:left").data.value
    local last = times and value + tonumber(times) or math.huge
    while value < last do
        value = value + 1
        local changes = registry.snapshot():changes()
        for _, id in ipairs({ "app:left", "app:right" }) do
            changes:update({ id = id, kind = "registry.entry", data = { value = value } })
        end
        local version, err = changes:apply()
        if not version then
            return nil, err
        end
        io.print("applied " .. value .. ".")
    end
end

local function reader()
    local left, right = registry.get("app:left").data.value, registry.get("app:right").data.value
    io.print(left .. " " .. right .. " " .. tostring(registry.current_version()))
end

local function back()
    return registry.apply_version(registry.current_version():previous()) or 1
end

return { writer = writer, reader = reader, back = back }
