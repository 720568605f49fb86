-- What is sent comes from where the program may read, and what comes goes to where it may write.
local Storage = kit.methods("Storage")
local Download = kit.methods("Download")

local open, upload = Storage.open, Storage.upload_object
Storage.open = nil

local function invalid(message)
    return errors.new({ message = message, kind = errors.INVALID, retryable = false })
end

function Storage.upload_object(self, key, content, options)
    if type(content) == "string" or content == nil or is_file(content) then
        return upload(self, key, content, options)
    elseif not has(content, "read") then
        return nil, invalid("the content is a string, a file or a stream, and not a " .. type(content))
    end
    local spool, err = spooled(content)
    if not spool then
        return nil, err
    end
    return upload(self, key, spool, options)
end

function Storage.download_object(self, key, writer, options)
    if not has(writer, "write") then
        return nil, invalid("an object is written to a file or a stream, and not to a " .. type(writer))
    end
    local download, err = open(self, key, options)
    if not download then
        return nil, err
    end
    return copied(Download.read, download, writer)
end

return { get = native.get }
