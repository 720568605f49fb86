-- The client side: makes a request and its reply look like a function call.
local protocol = require("protocol")
local time = require("time")

local Client = {}
Client.__index = Client

local function connect(store: string)
    return setmetatable({ store = store, count = 0, refusals = process.listen("refused") }, Client)
end

function Client:request(operation: string, key: string, value: any?): (any, error?)
    -- A topic of its own for each request: a late reply can never be taken for another one's.
    self.count = self.count + 1
    local reply_to = "reply." .. self.count
    local replies = process.listen(reply_to)

    local _, err = process.send(self.store, "request", { op = operation, key = key, value = value, reply_to = reply_to })
    if err then
        process.unlisten(replies)
        return nil, err
    end

    local timeout = time.after("2s")
    local ready = channel.select({ replies:case_receive(), self.refusals:case_receive(), timeout:case_receive() })
    process.unlisten(replies)
    if ready.channel == timeout then
        return nil, errors.new({ message = "the store does not answer", kind = errors.TIMEOUT, retryable = true })
    elseif ready.channel == self.refusals then
        return nil, errors.new({ message = ready.value, kind = errors.INVALID })
    end
    -- Called like a function, a type gives the value back, or raises if it is of another type.
    local reply = protocol.Reply(ready.value)
    return reply.value, reply.error
end

function Client:get(key: string): (any, error?)
    return self:request("get", key)
end

function Client:put(key: string, value: any): (any, error?)
    return self:request("put", key, value)
end

function Client:delete(key: string): (any, error?)
    return self:request("delete", key)
end

return { connect = connect }
