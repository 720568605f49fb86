-- Ends when it is asked to, and says why it was asked.
local function obeys(parent)
    local events = process.events()
    process.send(parent, "ready")
    local event = events:receive()
    return { kind = event.kind, from = event.from, reason = event.reason, at = math.type(event.at) or type(event.at) }
end

-- Waits for ever.
local function waits(parent)
    process.send(parent, "ready")
    process.listen("never"):receive()
end

local function fails(message)
    error(errors.new({ message = message or "failed", kind = errors.CONFLICT }))
end

local function ends(value)
    return value
end

local function loops(parent)
    process.send(parent, "ready")
    while true do
    end
end

local function loops_in_pcall(parent)
    process.send(parent, "ready")
    while true do
        pcall(function()
            while true do
            end
        end)
    end
end

local function loops_in_coroutine(parent)
    process.send(parent, "ready")
    coroutine.wrap(function()
        for _ = 1, math.huge do
        end
    end)()
end

local function loops_in_library(parent)
    process.send(parent, "ready")
    while true do
        string.rep("x", 100):gsub("x", function()
            return "y"
        end)
        table.sort({ 3, 2, 1 }, function(a, b)
            return a < b
        end)
    end
end

-- Links itself with a process that then fails.
local function linked(parent, other)
    assert(process.link(other))
    assert(process.link(other)) -- idempotent
    process.send(parent, "linked")
    process.listen("never"):receive()
end

local function trapping(parent, other)
    assert(process.set_options({ trap_links = true }))
    assert(process.link(other))
    process.send(parent, "linked")
    local event = process.events():receive()
    return { kind = event.kind, from = event.from, message = event.result.error:message(), error_kind = event.result.error:kind() }
end

local function options()
    local before = process.get_options()
    local set = process.set_options({ trap_links = true, upgradable = true })
    local after = process.get_options()
    local ok, err = process.set_options({ no_such = true })
    return {
        before = before.trap_links,
        set = set,
        after = after.trap_links,
        upgradable = after.upgradable,
        unknown = ok,
        kind = err:kind(),
    }
end

return {
    obeys = obeys,
    waits = waits,
    fails = fails,
    ends = ends,
    loops = loops,
    loops_in_pcall = loops_in_pcall,
    loops_in_coroutine = loops_in_coroutine,
    loops_in_library = loops_in_library,
    linked = linked,
    trapping = trapping,
    options = options,
}
