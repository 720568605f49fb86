-- The body of the answer as a stream that is written to, for whatever takes one.
local call, class = ...

local function failed(message)
    return nil, errors.new({ message = message, kind = errors.INTERNAL, retryable = false })
end

-- A stream is how much was written, and whether it is closed.
local METHODS = {
    write = function(self, data)
        if self.closed then
            return failed("the stream is closed")
        end
        local _, err = call("write", data)
        if err then
            return nil, err
        end
        self.position = self.position + #data
        return #data
    end,
    flush = function(self)
        if self.closed then
            return failed("the stream is closed")
        end
        return call("flush")
    end,
    -- What was written goes out; the answer itself is over when its function returns.
    close = function(self)
        if self.closed then
            return true
        end
        self.closed = true
        return call("flush")
    end,
    stat = function(self)
        return { size = -1, position = self.position, readable = false, writable = not self.closed, seekable = false }
    end,
    read = function()
        return failed("the stream is not readable")
    end,
    scanner = function()
        return failed("the stream is not readable")
    end,
    seek = function()
        return failed("the stream cannot seek: its bytes are on their way")
    end,
}

local opened = setmetatable({}, { __mode = "k" })

local Stream = class("Stream", function(key)
    local method = METHODS[key]
    return method and function(self, ...)
        return method(opened[self], ...)
    end
end)

return function()
    local stream = setmetatable({}, Stream)
    opened[stream] = { position = 0, closed = false }
    return stream
end
