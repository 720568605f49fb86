-- What several modules do with files and streams of any kind; it stands before the code of each of them.
local native, kit = ...

local CHUNK = 65536

-- Tells whether a value has a method, whatever it is.
local function has(value, name)
    if type(value) ~= "userdata" and type(value) ~= "table" or kit.is_error(value) then
        return false
    end
    local found, method = pcall(function()
        return value[name]
    end)
    return found and type(method) == "function"
end

-- Tells whether a value is an open file, from which the host can read by itself.
local function is_file(value)
    return has(value, "seek") and has(value, "sync")
end

-- Reads a stream to its end into a spool of the module, and gives that.
local function spooled(source)
    local spool, err = native.spool()
    if not spool then
        return nil, err
    end
    local add = kit.methods("Spool").add
    while true do
        local chunk, problem = source:read(CHUNK)
        if problem then
            return nil, problem
        elseif chunk == nil or #chunk == 0 then
            return spool
        end
        local ok
        ok, problem = add(spool, chunk)
        if not ok then
            return nil, problem
        end
    end
end

-- Writes what `read` gives piece by piece to a writer, until it gives nothing; gives true, or nil and the error.
local function copied(read, source, writer)
    while true do
        local bytes, problem = read(source)
        if problem then
            return nil, problem
        elseif not bytes then
            return true
        end
        local ok
        ok, problem = writer:write(bytes)
        if not ok then
            return nil, problem or errors.new({ message = "the destination takes no more", kind = errors.INTERNAL, retryable = false })
        end
    end
end

