-- Runs rows: what came of each is told to whoever asked.
local rows = require("rows")
local http = require("http")
local http_client = require("http_client")
local json = require("json")
local queue = require("queue")

-- The longest message of an error, with what Lua puts before it.
local LONGEST = 1200

local function is_error(value)
    return type(value) == "userdata" and tostring(getmetatable(value)) ~= nil and pcall(function()
        return value:kind()
    end)
end

-- Calls something; gives the kind of the error that it raised or gave, its text and its details, or nothing and the first value when it
-- worked.
local function outcome(run, ...)
    local results = table.pack(pcall(run, ...))
    for index = 1, results.n do
        local value = results[index]
        if is_error(value) and (not results[1] or not results[2]) then
            return value:kind(), tostring(value), value:details()
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
function modes.works(row)
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
        local kind, text, details = outcome(called, ...)
        if kind and (text:find("gave no answer") or text:find("was given up") or text:find("panic")) then
            return "broke down: " .. text
        elseif kind and text == "" then
            return "failed without a word"
        elseif kind and #text > LONGEST then
            return ("failed with a message of %d bytes: %s"):format(#text, text:sub(1, 100))
        elseif kind == "LimitExceeded" and (type(details) ~= "table" or not details.limit) then
            return "was refused without saying by which limit: " .. text
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

-- Keeps what some calls give, and waits.
function modes.kept(row, _, to)
    local kept = {}
    for round = 1, rows.KEPT do
        local object
        local ok, err = pcall(function()
            object = make(row)
            kept[round] = table.pack(object, row.call(object))
        end)
        -- There may be only one of it.
        if not ok and round == 1 then
            return "failed: " .. tostring(err)
        end
    end
    process.send(to, "told", process.pid())
    process.listen("nothing"):receive()
    return kept
end

-- Of what keeps handles, so many are allowed as the entry says, and no more.
function modes.over(row)
    local kept = {}
    for round = 1, 2 * rows.HANDLES do
        local object
        local kind, text, details = outcome(function()
            object = make(row)
            kept[round] = table.pack(object, row.call(object))
            -- An error of the call itself is looked at like one on the way to it.
            return table.unpack(kept[round], 2, kept[round].n)
        end)
        if kind == "LimitExceeded" then
            if type(details) ~= "table" or details.limit ~= "handles" or details.allowed ~= rows.HANDLES then
                return "was refused without saying by which limit: " .. text
            end
            return
        end
    end
    return ("was not refused although it may keep %d handles"):format(rows.HANDLES)
end

-- More calls that wait than the entry allows.
function modes.crowded(row)
    local refused = channel.new(2 * rows.PENDING)
    for _ = 1, 2 * rows.PENDING do
        coroutine.spawn(function()
            refused:send({ outcome(function()
                return row.waits(make(row))
            end) })
        end)
    end
    for _ = 1, rows.PENDING do
        local kind, text, details = table.unpack((refused:receive()), 1, 3)
        if kind ~= "LimitExceeded" or type(details) ~= "table" or details.limit ~= "pending_calls" then
            return ("gave %s (%s), not LimitExceeded"):format(kind, text)
        end
    end
end

local busy = false

-- Waits for as much as the entry allows, once.
local function wait_for_much()
    if busy then
        return
    end
    busy = true
    local begun = channel.new(rows.PENDING)
    for _ = 1, rows.PENDING do
        coroutine.spawn(function()
            begun:send(true)
            require("time").sleep("1h")
        end)
    end
    for _ = 1, rows.PENDING do
        begun:receive()
    end
end

-- A call that has to wait where nothing more may wait: it is refused, and others work.
function modes.busy(row)
    wait_for_much()
    local kind, text, details = outcome(function()
        return row.call(make(row))
    end)
    local refused = kind == "LimitExceeded" and type(details) == "table" and details.limit == "pending_calls"
    if not refused and kind ~= row.fails then
        return ("gave %s (%s), not LimitExceeded"):format(kind, text)
    end
end

-- An answer that is larger than the entry allows.
function modes.large(row)
    local kind, text, details = outcome(row.large, make(row))
    if kind ~= "LimitExceeded" or type(details) ~= "table" or details.limit ~= "message_size" then
        return ("gave %s (%s), not LimitExceeded"):format(kind, text)
    end
end

-- Calls it over and over, in several coroutines, until somebody ends that.
function modes.endless(row, _, to)
    local told = false
    for _ = 1, 3 do
        coroutine.spawn(function()
            while true do
                pcall(function()
                    row.call(make(row))
                end)
                if not told then
                    told = true
                    process.send(to, "told", process.pid())
                end
            end
        end)
    end
    process.listen("nothing"):receive()
end

-- Makes a call that never comes back by itself.
function modes.waiting(row, _, to)
    process.send(to, "told", process.pid())
    local kind, text = outcome(row.waits or row.listens, make(row))
    return ("came back: %s (%s)"):format(kind, text)
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

-- Runs a row, and sends what was wrong.
local function tell(asked)
    process.send(asked.to, "wrong", run(asked.mode, { asked.key }, asked.to))
end

-- Asks the endpoint to run a row.
local function post(asked)
    local options = { headers = { ["X-Asked"] = json.encode(asked), ["Content-Type"] = "text/plain" }, timeout = "1h" }
    if asked.key:find("multipart") or asked.key:find("UploadedFile") then
        options.headers["Content-Type"] = nil
        options.files = {}
        for number = 1, rows.KEPT do
            options.files[number] = { name = "file", filename = number .. ".txt", content = "text" }
        end
    else
        options.body = '"text"'
    end
    local path = (asked.narrow and "/narrow/" or "/rows/") .. http_client.encode_uri(asked.key) .. "?q=1"
    http_client.post("http://" .. http.address("app:gateway") .. path, options)
end

local function by_http()
    tell(json.decode(http.request():header("X-Asked")))
end

local function by_queue(asked)
    -- A message whose function was killed comes again.
    if queue.message():attempts() == 1 then
        tell(asked)
    end
end

-- Counts the programs that the node runs, besides the one that counts; where the system does not tell, there are none.
local function programs()
    local counts = assert(require("exec").get("app:shell"))
    counts = assert(counts:exec([[sh -c 'grep -h ^PPid: /proc/[0-9]*/status | grep -c -w $PPID']]))
    local output = assert(counts:stdout_stream())
    assert(counts:start())
    return math.max(tonumber((assert(output:read()):gsub("%s", ""))) - 1, 0)
end

local function prepare()
    rows.prepare()
    return true
end

return { run = run, tell = tell, post = post, by_http = by_http, by_queue = by_queue, programs = programs, prepare = prepare }
