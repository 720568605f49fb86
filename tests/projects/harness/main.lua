-- Runs every row in every way that applies to it, and says what was wrong.
local rows = require("rows")
local lists = require("lists")
local funcs = require("funcs")
local http = require("http")
local http_client = require("http_client")
local io = require("io")
local json = require("json")
local queue = require("queue")
local security = require("security")


local function say(text)
    io.print(text)
end

local function report(wrong)
    for _, line in ipairs(wrong) do
        say("wrong: " .. line)
    end
end

-- Every function that is there, or declared, has a row; every row has a function.
local function check_names()
    local found = {}
    local function walk(name, value, depth)
        if type(value) == "function" then
            found[name] = true
        elseif type(value) == "table" and depth < 4 then
            for key, inner in pairs(value) do
                walk(name .. "." .. tostring(key), inner, depth + 1)
            end
        end
    end
    for _, name in ipairs(lists.modules) do
        local module = require(name)
        if type(module) == "table" then
            walk(name, module, 1)
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
    for name in pairs(found) do
        if not rows.table[name] then
            say("wrong: " .. name .. " has no row in tests/projects/harness/rows.lua")
        end
    end
    for name in pairs(rows.table) do
        if not name:find(" ") and not found[name] then
            say("wrong: " .. name .. " has a row, but is no function or method")
        end
    end
    local needed = {}
    for _, row in pairs(rows.table) do
        for action in pairs(row.needs) do
            needed[action] = true
        end
    end
    for _, action in ipairs(lists.actions) do
        if not needed[action] then
            say("wrong: no row needs " .. action .. ", which the table of modules names")
        end
        needed[action] = nil
    end
    for action in pairs(needed) do
        say("wrong: the table of modules does not name " .. action)
    end
end

local function policy(id)
    return assert(security.policy(id))
end

-- Runs rows on a host, under a scope.
local function call(mode, keys, scope, host)
    local caller = funcs.new():with_options({ host = host or "app:processes" })
    if scope then
        caller = caller:with_actor(security.new_actor("row", {})):with_scope(assert(security.new_scope(scope)))
    end
    say("runs " .. mode .. " of " .. keys[1] .. (keys[2] and " and others" or ""))
    local wrong, err = caller:call("app:run", mode, keys, process.pid())
    report(wrong or { table.concat(keys, " "):sub(1, 200) .. " " .. mode .. ": the process ended: " .. tostring(err) })
end

local function sorted(map)
    local keys = {}
    for key in pairs(map) do
        table.insert(keys, key)
    end
    table.sort(keys)
    return keys
end

local function place(key)
    return rows.table[key].place
end

-- Rows that share something, each group by a text.
local function grouped(keys, by)
    local groups = {}
    for _, key in ipairs(keys) do
        for _, name in ipairs(by(key)) do
            groups[name] = groups[name] or {}
            table.insert(groups[name], key)
        end
    end
    return groups
end

local function needs(key)
    return sorted(rows.table[key].needs)
end

local wrongs = process.listen("wrong")
local address = http.address("gateway")

-- Asks the endpoint, or the consumer, to run a row.
local function elsewhere(mode, key)
    say("runs " .. mode .. " of " .. key)
    if place(key) == "http" then
        local options = { headers = { ["X-Asked"] = json.encode({ mode = mode, to = process.pid() }), ["Content-Type"] = "text/plain" } }
        if key:find("multipart") or key:find("UploadedFile") then
            options.files = { { name = "file", filename = "a.txt", content = "text" } }
        else
            options.body = '"text"'
        end
        assert(http_client.post("http://" .. address .. "/rows/" .. http_client.encode_uri(key) .. "?q=1", options))
    else
        assert(queue.publish("app:rows_queue", { mode = mode, key = key, to = process.pid() }))
    end
    report((wrongs:receive()))
end

local function all_rows()
    local keys = {}
    for _, key in ipairs(sorted(rows.table)) do
        if not place(key) then
            table.insert(keys, key)
        end
    end
    return keys
end

local parts = {}

-- Allowed by exactly what the row needs, and denied without each part of it.
function parts.policies(keys)
    check_names()
    for action, group in pairs(grouped(keys, function(key)
        return { table.concat(needs(key), " ") }
    end)) do
        local scope = {}
        for name in action:gmatch("%S+") do
            table.insert(scope, policy("can:" .. name))
        end
        call("works", group, scope)
    end
    for action, group in pairs(grouped(keys, needs)) do
        call("denied", group, { policy("app:everything"), policy("cannot:" .. action) })
    end
end

function parts.odd(keys)
    local odd = {}
    for _, key in ipairs(keys) do
        if rows.table[key].odd then
            table.insert(odd, key)
        end
    end
    for _, group in pairs(grouped(odd, function(key)
        return { key:match("^[^.]+") }
    end)) do
        call("odd", group)
    end
    for _, key in ipairs(sorted(rows.table)) do
        if rows.table[key].odd and (place(key) == "http" or place(key) == "queue") then
            elsewhere("odd", key)
        end
    end
end

local function main(part)
    rows.prepare()
    parts[part](all_rows())
    say("end of the harness")
    return 0
end

return { main = main }
