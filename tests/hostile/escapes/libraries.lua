-- attack: changes to the libraries that all code shares
-- stopped by: frozen tables
-- ends: ok

local function main()
    local libraries = { string = string, table = table, math = math, os = os, coroutine = coroutine, utf8 = utf8, errors = errors, channel = channel, process = process }
    for name, library in pairs(libraries) do
        local before = {}
        for key, value in pairs(library) do
            before[key] = value
        end
        local key = next(library)
        for _, act in ipairs({
            function() library[key] = print end,
            function() library.new_field = 1 end,
            function() rawset(library, key, print) end,
            function() rawset(library, "new_field", 1) end,
            function() setmetatable(library, {}) end,
            function() setmetatable(library, nil) end,
            function() table.insert(library, 1) end,
            function() table.remove(library, 1) error("nothing") end,
            function() table.move({ 1, 2 }, 1, 2, 1, library) end,
            function() table.sort(library, function() return true end) error("nothing") end,
            function() getmetatable(library).__index = {} end,
            function() rawset(getmetatable(library), "__index", {}) end,
            function() for k in pairs(library) do library[k] = nil end end,
        }) do
            assert(not pcall(act), name)
        end
        for key_now, value in pairs(library) do
            assert(before[key_now] == value, name .. "." .. tostring(key_now))
        end
    end
    return true
end

return { main = main }
