-- What is sent comes from where the program may read, and what comes goes to where it may write.
local native, kit = ...

local CHUNK = 65536

local Storage = kit.methods("Storage")
local Download = kit.methods("Download")
local Spool = kit.methods("Spool")

local open, upload = Storage.open, Storage.upload_object
Storage.open = nil

local function invalid(message)
    return errors.new({ message = message, kind = errors.INVALID, retryable = false })
end

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

function Storage.upload_object(self, key, content, options)
    if type(content) == "string" or content == nil or has(content, "seek") and has(content, "sync") then
        return upload(self, key, content, options)
    elseif not has(content, "read") then
        return nil, invalid("the content is a string, a file or a stream, and not a " .. type(content))
    end
    local spool, err = native.spool()
    if not spool then
        return nil, err
    end
    while true do
        local chunk, problem = content:read(CHUNK)
        if problem then
            return nil, problem
        elseif chunk == nil or #chunk == 0 then
            return upload(self, key, spool, options)
        end
        local ok
        ok, problem = Spool.add(spool, chunk)
        if not ok then
            return nil, problem
        end
    end
end

function Storage.download_object(self, key, writer, options)
    if not has(writer, "write") then
        return nil, invalid("an object is written to a file or a stream, and not to a " .. type(writer))
    end
    local download, err = open(self, key, options)
    if not download then
        return nil, err
    end
    while true do
        local bytes, problem = Download.read(download)
        if problem then
            return nil, problem
        elseif not bytes then
            return true
        end
        local ok
        ok, problem = writer:write(bytes)
        if not ok then
            return nil, problem or invalid("the destination takes no more")
        end
    end
end

return { get = native.get }
