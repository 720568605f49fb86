-- attack: fills the registry, which all share, with large entries
-- stopped by: sixty-four megabytes for the entries that code on one process host has written
-- ends: ok
-- modules: registry, time

local registry = require("registry")
local expect = require("expect")

local function main()
    local text = ("x"):rep(3500000)
    local function write(id, kind)
        local changes = registry.snapshot():changes()
        changes[kind](changes, { id = "tenant:" .. id, kind = "registry.entry", meta = {}, data = { text = text } })
        return changes:apply()
    end
    local err, times = expect.until_refused("LimitExceeded", 30, function(number)
        return write("filler" .. number, "create")
    end)
    assert(err:details().limit == "registry_bytes", err:message())
    assert(times > 10, times)
    -- What is deleted makes room.
    local changes = registry.snapshot():changes()
    for number = 1, times do
        changes:delete("tenant:filler" .. number)
    end
    assert(changes:apply())
    assert(write("filler1", "create"))
    changes = registry.snapshot():changes()
    changes:delete("tenant:filler1")
    assert(changes:apply())
    return true
end

return { main = main }
