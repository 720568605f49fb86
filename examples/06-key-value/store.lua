-- One process owns the data, so nobody else can change it half-way: requests are served one after the other.
local protocol = require("protocol")

local function answer(data: {[string]: any}, request: protocol.Request): (any, error?)
    local value = data[request.key]
    if request.op == "put" then
        data[request.key] = request.value
        return true
    elseif request.op == "delete" then
        data[request.key] = nil
        return value ~= nil
    elseif value == nil then
        return nil, errors.new({ message = "no value for " .. request.key, kind = errors.NOT_FOUND })
    end
    return value
end

local function main()
    local data: {[string]: any} = {}
    local requests = process.inbox()
    while true do
        local message = requests:receive()
        local client: any = message:from()
        -- Anybody may send anything, so a message is only trusted once its type has said yes.
        local request, problem = protocol.Request:is(message:payload():data())
        if request then
            local value, err = answer(data, request)
            -- The client chose the topic of the reply. Errors travel in messages like any other value.
            process.send(client, request.reply_to, { value = value, error = err })
        else
            process.send(client, "refused", tostring(problem))
        end
    end
end

return { main = main }
