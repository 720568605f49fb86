-- Compares the rows with what there is: every function that is there, or declared, has a row, and every row has a function.
local names = {}

local function walk(found, name, value, depth)
    if type(value) == "function" then
        found[name] = true
    elseif type(value) == "table" and depth < 4 then
        for key, inner in pairs(value) do
            walk(found, name .. "." .. tostring(key), inner, depth + 1)
        end
    end
end

local function functions(lists)
    local found = {}
    for _, name in ipairs(lists.modules) do
        local module = require(name)
        if type(module) == "table" then
            walk(found, name, module, 1)
        end
    end
    for _, name in ipairs(lists.declared) do
        local value = require(name:match("^[^.]+"))
        for part in name:match("%.(.*)$"):gmatch("[^.]+") do
            value = type(value) == "table" and value[part] or nil
        end
        if type(value) == "function" then
            found[name] = true
        end
    end
    for _, name in ipairs(lists.methods) do
        found[name] = true
    end
    return found
end

-- Lists what differs.
function names.wrong(rows, lists)
    local wrong = {}
    local function say(text)
        table.insert(wrong, text)
    end
    local found = functions(lists)
    for name in pairs(found) do
        if not rows[name] then
            say(name .. " has no row in tests/projects/harness/rows.lua")
        end
    end
    for name in pairs(rows) do
        if not name:find(" ") and not found[name] then
            say(name .. " has a row, but is no function or method")
        end
    end
    local needed = {}
    for _, row in pairs(rows) do
        for action in pairs(row.needs) do
            needed[action] = true
        end
    end
    for _, action in ipairs(lists.actions) do
        if not needed[action] then
            say("no row needs " .. action .. ", which the table of modules names")
        end
        needed[action] = nil
    end
    for action in pairs(needed) do
        say("the table of modules does not name " .. action)
    end
    return wrong
end

return names
