-- The client side: makes a request and its reply look like a function call.
local time = require("time")

local Client = {}
Client.__index = Client

local function request(self, operation, fields)
    -- A topic of its own for each request: a late reply can never be taken for another one's.
    self.count = self.count + 1
    fields.reply_to = "reply." .. self.count
    local replies = process.listen(fields.reply_to)

    local _, err = process.send(self.store, operation, fields)
    if err then
        process.unlisten(replies)
        return nil, err
    end

    local timeout = time.after("2s")
    local ready = channel.select({ replies:case_receive(), timeout:case_receive() })
    process.unlisten(replies)
    if ready.channel == timeout then
        return nil, errors.new({ message = "the store does not answer", kind = errors.TIMEOUT, retryable = true })
    end
    return ready.value.value, ready.value.error
end

function Client:get(key)
    return request(self, "get", { key = key })
end

function Client:put(key, value)
    return request(self, "put", { key = key, value = value })
end

function Client:delete(key)
    return request(self, "delete", { key = key })
end

local function connect(store)
    return setmetatable({ store = store, count = 0 }, Client)
end

return { connect = connect }
