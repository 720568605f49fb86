-- What goes into files goes through the volumes of the program; what comes from streams of any kind is read here.
local Reader = kit.methods("Reader")
local Walker = kit.methods("Walker")
local Writer = kit.methods("Writer")

local page, stream_of = Reader.page, Reader.stream
local advance, current = Walker.advance, Walker.stream
local begin, data, finish_entry = Writer.begin, Writer.data, Writer.finish_entry
local directory, drain, finish = Writer.directory, Writer.drain, Writer.finish
Reader.page, Walker.advance, Walker.stream = nil, nil, nil
Writer.begin, Writer.data, Writer.finish_entry, Writer.directory, Writer.drain, Writer.finish = nil, nil, nil, nil, nil, nil

local function invalid(message)
    return errors.new({ message = message, kind = errors.INVALID, retryable = false })
end

local function is_volume(value)
    return has(value, "open") and has(value, "mkdir")
end

-- Opens an archive from what the host takes, or from a path of a volume.
local function open(act, source, first, second)
    if not is_volume(source) then
        return act(source, first)
    elseif type(first) ~= "string" then
        error("bad argument #2 (path expected, got " .. type(first) .. ")", 3)
    end
    local file, err = source:open(first, "r")
    if not file then
        return nil, err
    end
    local archive
    archive, err = act(file, second, first)
    file:close()
    return archive, err
end

local archive = { formats = native.formats }

function archive.open(source, first, second)
    return open(native.open, source, first, second)
end

function archive.scan(source, first, second)
    if type(source) == "string" or is_volume(source) or is_file(source) or not has(source, "read") then
        return open(native.scan, source, first, second)
    end
    local spool, err = spooled(source)
    if not spool then
        return nil, err
    end
    return native.scan(spool, first)
end

function Reader.entries(self)
    local number, items, index = 0, nil, 0
    return function()
        index = index + 1
        if not items or index > #items then
            local err
            items, err = page(self, number)
            if err then
                error(err, 0)
            end
            index = 1
        end
        local item = items[index]
        if item then
            number = number + 1
        end
        return item
    end
end

-- Makes a path that stays where it is put; nothing for one that would not.
local function safe(name, strip)
    if name:find("^[/\\]") or name:find("^%a:") or name:find("\\", 1, true) or name:find("\0", 1, true) then
        return nil
    end
    local parts = {}
    for part in name:gmatch("[^/]+") do
        if part == ".." then
            return nil
        elseif part ~= "." then
            parts[#parts + 1] = part
        end
    end
    return table.concat(parts, "/", math.min(strip, #parts) + 1)
end

local function make_directories(volume, path, made)
    local at = ""
    for part in path:gmatch("[^/]+") do
        at = at .. "/" .. part
        if not made[at] then
            local there, err = volume:isdir(at)
            if not there then
                if err then
                    return nil, err
                end
                local ok
                ok, err = volume:mkdir(at)
                if not ok and err:kind() ~= errors.ALREADY_EXISTS then
                    return nil, err
                end
            end
            made[at] = true
        end
    end
    return true
end

local function extract(self, item, volume, path, made)
    local parent = path:match("^(.*)/[^/]*$")
    if parent then
        local ok, err = make_directories(volume, parent, made)
        if not ok then
            return nil, err
        end
    end
    local stream, err = stream_of(self, item.name)
    if not stream then
        return nil, err
    end
    local ok
    ok, err = volume:writefile(path, stream)
    stream:close()
    return ok, err
end

function Reader.extract(self, name, volume, path)
    local item, err = self:stat(name)
    if not item then
        return nil, err
    elseif not is_volume(volume) then
        error("bad argument #2 to 'extract' (volume expected, got " .. type(volume) .. ")", 2)
    end
    path = path or safe(name, 0)
    if not path or path == "" then
        return nil, invalid("the name `" .. name .. "` leads out of where it would be put: give a path")
    end
    return extract(self, item, volume, path, {})
end

function Reader.extract_all(self, volume, options)
    if not is_volume(volume) then
        error("bad argument #1 to 'extract_all' (volume expected, got " .. type(volume) .. ")", 2)
    end
    options = options or {}
    local prefix, strip, filter = options.prefix or "", math.max(math.tointeger(options.strip or 0) or 0, 0), options.filter
    local count, made = 0, {}
    for item in self:entries() do
        local path = safe(item.name, strip)
        if not path then
            return nil, invalid("the name `" .. item.name .. "` leads out of where it would be put")
        end
        if path ~= "" and (not filter or filter(item)) then
            path = prefix .. path
            local ok, err = true, nil
            if item.is_dir then
                ok, err = make_directories(volume, path, made)
            elseif item.type == "file" then
                ok, err = extract(self, item, volume, path, made)
                count = count + 1
            end
            if not ok then
                return nil, err
            end
        end
    end
    return count
end

function Walker.walk(self)
    return function()
        local item, err = advance(self)
        if err then
            error(err, 0)
        elseif not item then
            return nil
        end
        local stream
        stream, err = current(self)
        if err then
            error(err, 0)
        end
        return item, stream
    end
end

-- Where each writer writes to, and what is closed with it.
local sinks = setmetatable({}, { __mode = "k" })

local function flush(self)
    local sink = sinks[self]
    while true do
        local bytes, err = drain(self)
        if err then
            return nil, err
        elseif not bytes then
            return true
        end
        local ok
        ok, err = sink.to:write(bytes)
        if not ok then
            return nil, err or invalid("the destination takes no more")
        end
    end
end

function archive.create(dest, first, second)
    local options, path = first, nil
    local to, opened = dest, nil
    if is_volume(dest) then
        if type(first) ~= "string" then
            error("bad argument #2 to 'create' (path expected, got " .. type(first) .. ")", 2)
        end
        options, path = second, first
    elseif not has(dest, "write") then
        error("bad argument #1 to 'create' (volume or stream expected, got " .. type(dest) .. ")", 2)
    end
    local writer, err = native.create(options, path)
    if not writer then
        return nil, err
    end
    if path then
        opened, err = dest:open(path, "w")
        if not opened then
            return nil, err
        end
        to = opened
    end
    sinks[writer] = { to = to, opened = opened }
    return writer
end

function Writer.add(self, name, content, options)
    local ok, err = begin(self, name, options)
    if not ok then
        return nil, err
    end
    if has(content, "read") then
        while true do
            local chunk
            chunk, err = content:read(CHUNK)
            if err then
                return nil, err
            elseif chunk == nil or #chunk == 0 then
                break
            end
            ok, err = data(self, chunk)
            if ok then
                ok, err = flush(self)
            end
            if not ok then
                return nil, err
            end
        end
    else
        ok, err = data(self, content)
        if not ok then
            return nil, err
        end
    end
    ok, err = finish_entry(self)
    if not ok then
        return nil, err
    end
    return flush(self)
end

function Writer.add_file(self, name, volume, path, options)
    if not is_volume(volume) then
        error("bad argument #2 to 'add_file' (volume expected, got " .. type(volume) .. ")", 2)
    end
    local file, err = volume:open(path, "r")
    if not file then
        return nil, err
    end
    local ok
    ok, err = self:add(name, file, options)
    file:close()
    return ok, err
end

function Writer.add_dir(self, name, options)
    local ok, err = directory(self, name, options)
    if not ok then
        return nil, err
    end
    return flush(self)
end

function Writer.close(self)
    local sink = sinks[self]
    if not sink or sink.closed then
        return true
    end
    sink.closed = true
    local ok, err = finish(self)
    if ok then
        ok, err = flush(self)
    end
    if sink.opened then
        sink.opened:close()
    end
    return ok, err
end

return archive
