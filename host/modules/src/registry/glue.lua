local native = ...

-- Operations that cross to the host at once; fewer when they are large.
local BATCH = 64
-- How deep an entry nests at most.
local DEPTH = 60

local function class(name)
    local made = { __name = name, __metatable = false }
    made.__index = made
    return made
end

local Version, Snapshot, Changes, History = class("Version"), class("Snapshot"), class("Changes"), class("History")

local function raise(position, name, wanted, value)
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(position, name, wanted, type(value)), 3)
end

local function to_version(raw, err)
    if not raw then
        return nil, err
    end
    return setmetatable({ raw = raw }, Version)
end

local function number_of(value)
    if type(value) == "number" then
        return value
    end
    return type(value) == "table" and type(value.raw) == "table" and value.raw.id or nil
end

local function to_snapshot(raw, err)
    if not raw then
        return nil, err
    end
    return setmetatable({ raw = raw }, Snapshot)
end

-- All pages of a listing.
local function list(filter, namespace, version)
    local found, offset = {}, 0
    repeat
        local page, err = native.list(filter, namespace, version, offset)
        if not page then
            return nil, err
        end
        table.move(page.entries, 1, #page.entries, #found + 1, found)
        offset, version = page.next, page.version
    until not offset
    return found
end

local function copy(value, depth)
    if type(value) ~= "table" then
        return value
    elseif depth > DEPTH then
        error("an entry nests at most " .. DEPTH .. " levels deep", 0)
    end
    local copied = {}
    for key, item in pairs(value) do
        copied[key] = copy(item, depth + 1)
    end
    return copied
end

function Version:id()
    return self.raw.id
end

function Version:string()
    return "v" .. self.raw.id
end

function Version:previous()
    if self.raw.parent then
        return to_version(native.version(self.raw.parent))
    end
end

function Version:next()
    local raw = native.after(self.raw.id)
    return raw and to_version(raw)
end

Version.__tostring = Version.string

function Version.__eq(a, b)
    return a.raw.id == b.raw.id
end

function Version.__lt(a, b)
    return a.raw.id < b.raw.id
end

function Version.__le(a, b)
    return a.raw.id <= b.raw.id
end

function Snapshot:get(id)
    return native.get(id, self.raw.id)
end

function Snapshot:entries()
    return list(nil, nil, self.raw.id)
end

function Snapshot:find(filter)
    return list(filter, nil, self.raw.id)
end

function Snapshot:namespace(namespace)
    if type(namespace) ~= "string" then
        raise(1, "namespace", "string", namespace)
    end
    return list(nil, namespace, self.raw.id)
end

function Snapshot:version()
    return to_version(self.raw)
end

function Snapshot:changes()
    return setmetatable({ list = {} }, Changes)
end

function Changes:create(entry)
    if type(entry) ~= "table" then
        raise(1, "create", "table", entry)
    end
    table.insert(self.list, { kind = "entry.create", entry = copy(entry, 0) })
    return self
end

function Changes:update(entry)
    if type(entry) ~= "table" then
        raise(1, "update", "table", entry)
    end
    table.insert(self.list, { kind = "entry.update", entry = copy(entry, 0) })
    return self
end

function Changes:delete(id)
    if type(id) == "table" then
        id = id.id or (tostring(id.ns) .. ":" .. tostring(id.name))
    elseif type(id) ~= "string" then
        raise(1, "delete", "string or table", id)
    end
    table.insert(self.list, { kind = "entry.delete", entry = { id = id } })
    return self
end

function Changes:ops()
    return copy(self.list, 0)
end

function Changes:apply()
    local draft, err = native.draft()
    if not draft then
        return nil, err
    end
    local first, batch = 1, BATCH
    while first <= #self.list do
        local last = math.min(first + batch - 1, #self.list)
        local added, why = native.add(draft, table.move(self.list, first, last, 1, {}))
        if added then
            first = last + 1
        elseif batch > 1 and why:kind() == errors.LIMIT_EXCEEDED then
            batch = batch // 2
        else
            return nil, why
        end
    end
    return to_version(native.apply(draft))
end

local function versions()
    local raws, err = native.versions()
    if not raws then
        return nil, err
    end
    local found = {}
    for index, raw in ipairs(raws) do
        found[index] = to_version(raw)
    end
    return found
end

local function snapshot_at(version)
    local number = number_of(version)
    if not number then
        raise(1, "snapshot_at", "version", version)
    end
    return to_snapshot(native.snapshot_at(number))
end

function History:versions()
    return versions()
end

function History:get_version(number)
    number = number_of(number) or raise(1, "get_version", "number", number)
    return to_version(native.version(number))
end

function History:snapshot_at(version)
    return snapshot_at(version)
end

local registry = {
    versions = versions,
    snapshot_at = snapshot_at,
    build_delta = native.build_delta,
}

function registry.get(id)
    return native.get(id)
end

function registry.find(filter)
    return list(filter)
end

function registry.parse_id(id)
    if type(id) ~= "string" then
        raise(1, "parse_id", "string", id)
    end
    local namespace, name = id:match("^([^:]*):(.*)$")
    return { ns = namespace or "", name = name or id }
end

function registry.snapshot()
    return to_snapshot(native.current())
end

function registry.current_version()
    return to_version(native.current())
end

function registry.history()
    return setmetatable({}, History)
end

function registry.apply_version(version)
    local number = number_of(version)
    if not number then
        raise(1, "apply_version", "version", version)
    end
    return native.apply_version(number)
end

return registry
