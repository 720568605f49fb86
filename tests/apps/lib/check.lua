-- Assertions for apps that check themselves. An app registers named cases and returns `{ main = check.main }`; each
-- case prints `ok NAME` or `not ok NAME: why`, and the last line counts them, so that a run that ends early is seen.
local io = require("io")
local time = require("time")

local check = {}
local cases = {}

-- How long a case waits for something that must come. Never reached when all is well.
local LIMIT = "20s"

local function show(value, depth)
    depth = depth or 0
    if type(value) == "string" then
        return string.format("%q", value)
    elseif type(value) ~= "table" or depth > 4 then
        return tostring(value)
    end
    local keys = {}
    for key in pairs(value) do
        table.insert(keys, key)
    end
    table.sort(keys, function(a, b)
        return tostring(a) < tostring(b)
    end)
    local parts = {}
    for _, key in ipairs(keys) do
        table.insert(parts, "[" .. show(key, depth + 1) .. "] = " .. show(value[key], depth + 1))
    end
    return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(a, b)
    if rawequal(a, b) then
        return true
    elseif type(a) ~= type(b) then
        return false
    elseif type(a) == "number" then
        return a == b and math.type(a) == math.type(b)
    elseif type(a) ~= "table" then
        return a == b
    end
    for key, value in pairs(a) do
        if not same(value, b[key]) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

-- Level 3: the line of the case, not of this library.
local function fail(message)
    error(message, 3)
end

function check.case(name, run)
    table.insert(cases, { name = name, run = run })
end

function check.main()
    local failed = 0
    for _, case in ipairs(cases) do
        local ok, err = pcall(case.run)
        if ok then
            io.print("ok " .. case.name)
        else
            failed = failed + 1
            io.print("not ok " .. case.name .. ": " .. tostring(err))
        end
    end
    io.print(#cases - failed .. " passed")
    if failed > 0 then
        return nil, failed .. " of " .. #cases .. " cases failed"
    end
end

-- Deep; 1 and 1.0 differ.
function check.equal(got, want, what)
    if not same(got, want) then
        fail((what and what .. ": " or "") .. "expected " .. show(want) .. ", got " .. show(got))
    end
end

function check.is_true(value, what)
    if value ~= true then
        fail((what or "value") .. ": expected true, got " .. show(value))
    end
end

function check.is_nil(value, what)
    if value ~= nil then
        fail((what or "value") .. ": expected nil, got " .. show(value))
    end
end

function check.match(text, pattern)
    if not string.find(tostring(text), pattern) then
        fail("expected something like " .. show(pattern) .. ", got " .. show(tostring(text)))
    end
end

function check.contains(text, part)
    if not string.find(tostring(text), part, 1, true) then
        fail("expected " .. show(part) .. " somewhere in " .. show(tostring(text)))
    end
end

-- `check.fails("NotFound", process.send(...))`: the call gave nil and an Error of that kind. Gives the error back.
function check.fails(kind, value, err)
    if value ~= nil and value ~= false then
        fail("expected an error of kind " .. show(kind) .. ", got " .. show(value))
    elseif type(err) ~= "userdata" then
        fail("expected an error of kind " .. show(kind) .. ", got no Error object but " .. show(err))
    elseif err:kind() ~= kind then
        fail("expected kind " .. show(kind) .. ", got " .. show(err:kind()) .. ": " .. tostring(err))
    elseif kind == "LimitExceeded" then
        -- Database servers have limits of their own, which they name by a code.
        local details = err:details()
        if type(details) ~= "table" or details.limit == nil and details.sqlstate == nil then
            fail("expected a limit in the details of: " .. tostring(err))
        end
    end
    return err
end

-- Calls the function, which must raise something that contains the text. Gives the error back.
function check.raises(part, run, ...)
    local ok, err = pcall(run, ...)
    if ok then
        fail("expected an error with " .. show(part) .. ", got none")
    elseif not string.find(tostring(err), part, 1, true) then
        fail("expected an error with " .. show(part) .. ", got " .. show(tostring(err)))
    end
    return err
end

-- Receives what must come: nothing within the limit fails the case. Gives value and ok.
function check.receive(ch)
    local timer = time.timer(LIMIT)
    local limit = timer:response()
    local ready = channel.select({ ch:case_receive(), limit:case_receive() })
    timer:stop()
    if ready.channel == limit then
        fail("nothing came within " .. LIMIT)
    end
    return ready.value, ready.ok
end

-- Nothing is there to be received now.
function check.empty(ch)
    local ready = channel.select({ ch:case_receive(), default = true })
    if not ready.default then
        fail("expected nothing, got " .. show(ready.value))
    end
end

local skipped = {} -- events that came while a case waited for another one

-- Waits for an event of one kind from one process. Events of others are kept for later.
function check.event(kind, pid)
    for index, event in ipairs(skipped) do
        if event.kind == kind and event.from == pid then
            return table.remove(skipped, index)
        end
    end
    local events = process.events()
    local timer = time.timer(LIMIT)
    local limit = timer:response()
    while true do
        local ready = channel.select({ events:case_receive(), limit:case_receive() })
        if ready.channel == limit then
            fail("no " .. kind .. " from " .. pid .. " within " .. LIMIT)
        elseif ready.value.kind == kind and ready.value.from == pid then
            timer:stop()
            return ready.value
        end
        table.insert(skipped, ready.value)
    end
end

-- No event came that no case has asked for.
function check.no_event()
    local ready = channel.select({ process.events():case_receive(), default = true })
    local event = skipped[1] or ready.value
    skipped = {}
    if event then
        fail("expected no event, got " .. event.kind .. " from " .. event.from)
    end
end

-- Spawns on the common host, without a relation.
function check.spawn(id, ...)
    local pid, err = process.spawn(id, "lib:processes", ...)
    if not pid then
        fail("cannot spawn " .. id .. ": " .. tostring(err))
    end
    return pid
end

-- Spawns on the common host, monitored.
function check.watch(id, ...)
    local pid, err = process.spawn_monitored(id, "lib:processes", ...)
    if not pid then
        fail("cannot spawn " .. id .. ": " .. tostring(err))
    end
    return pid
end

-- Runs a process to its end. Gives its value and its error.
function check.outcome(id, ...)
    local pid, err = process.spawn_monitored(id, "lib:processes", ...)
    if not pid then
        fail("cannot spawn " .. id .. ": " .. tostring(err))
    end
    local result = check.event(process.event.EXIT, pid).result
    return result.value, result.error
end

return check
