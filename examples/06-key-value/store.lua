-- One process owns the data, so nobody else can change it half-way: requests are served one after the other.
local operations = {}

function operations.get(data, request)
    local value = data[request.key]
    if value == nil then
        return nil, errors.new({ message = "no value for " .. request.key, kind = errors.NOT_FOUND })
    end
    return value
end

function operations.put(data, request)
    data[request.key] = request.value
    return true
end

function operations.delete(data, request)
    local existed = data[request.key] ~= nil
    data[request.key] = nil
    return existed
end

local function main()
    local data = {}
    local requests = process.inbox()
    while true do
        local message = requests:receive()
        local request = message:payload():data()
        local operation = operations[message:topic()]
        local value, err
        if operation then
            value, err = operation(data, request)
        else
            err = errors.new({ message = "no operation " .. message:topic(), kind = errors.INVALID })
        end
        -- The client chose the topic of the reply. Errors travel in messages like any other value.
        process.send(message:from(), request.reply_to, { value = value, error = err })
    end
end

return { main = main }
