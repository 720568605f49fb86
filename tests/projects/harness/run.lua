-- Runs rows: what came of each is told to whoever asked.
local rows = require("rows")
local lists = require("lists")
local http = require("http")
local json = require("json")
local queue = require("queue")

local function is_error(value)
    return type(value) == "userdata" and tostring(getmetatable(value)) ~= nil and pcall(function()
        return value:kind()
    end)
end

-- Calls something; gives the kind of the error that it raised or gave, and its text, or nothing when it worked.
local function outcome(run, ...)
    local results = table.pack(pcall(run, ...))
    for index = 1, results.n do
        local value = results[index]
        if is_error(value) and (not results[1] or not results[2]) then
            return value:kind(), tostring(value)
        end
    end
    if not results[1] then
        return "raised", tostring(results[2])
    end
    return nil, results[2]
end

local deep = {}
for _ = 1, 150 do
    deep = { deep, x = 1 }
end

local ODD = {
    true, -1, 2 ^ 53, 1e308, 0 / 0, math.mininteger, "", "x\0y", "\xff\xfe", ("long"):rep(50000), "../../..", {}, { 1, 2 }, { a = {} },
    { [1.5] = 1 }, deep, print, coroutine.create(print), errors.new("x"),
}

-- Makes the object that a method is called on.
local function make(row)
    if row.make then
        local object, err = row.make()
        if object == nil then
            error(err, 0)
        end
        return object
    end
end

local modes = {}

-- The call works.
function modes.works(row, key)
    local kind, text = outcome(row.call, make(row))
    if kind ~= row.fails then
        return ("gave %s (%s), not %s"):format(kind, text, row.fails or "its result")
    end
end

-- The call is refused.
function modes.denied(row)
    local kind, text = outcome(function()
        return row.call(make(row))
    end)
    if kind ~= "PermissionDenied" and not (row.filtered and kind == nil) then
        return ("gave %s (%s), not PermissionDenied"):format(kind, text)
    end
end

-- Arguments of all kinds: an answer, or an error that says something, and never one of the host's own.
function modes.odd(row, key)
    local object = make(row)
    local method = key:match(":(.*)$")
    local called
    if object ~= nil and method then
        called = function(...)
            return object[method](object, ...)
        end
    else
        called = require(key:match("^[^.]+"))
        for part in key:match("%.(.*)$"):gmatch("[^.]+") do
            called = called[part]
        end
    end
    local function try(...)
        local kind, text = outcome(called, ...)
        if kind and (text:find("gave no answer") or text:find("was given up") or text:find("panic")) then
            return "broke down: " .. text
        elseif kind and text == "" then
            return "failed without a word"
        end
    end
    for _, odd in ipairs(ODD) do
        local wrong = try(odd) or try(odd, odd) or try("x", odd) or try(nil, odd, odd)
        if wrong then
            return wrong
        end
    end
    return try()
end

-- Runs rows, by their keys, and gives what was wrong with which.
local function run(mode, keys, to)
    local wrong = {}
    for _, key in ipairs(keys) do
        local ok, fault = pcall(modes[mode], rows.table[key], key, to)
        if not ok or fault then
            table.insert(wrong, key .. " " .. mode .. ": " .. tostring(fault):sub(1, 400))
        end
    end
    return wrong
end

local function by_http()
    local asked = json.decode(http.request():header("X-Asked"))
    local wrong = run(asked.mode, { http.request():param("key") }, asked.to)
    process.send(asked.to, "wrong", wrong)
end

local function by_queue(asked)
    local wrong = run(asked.mode, { asked.key }, asked.to)
    process.send(asked.to, "wrong", wrong)
end

return { run = run, by_http = by_http, by_queue = by_queue, lists = lists }
