local function messages()
    local count = 0
    while true do
        local ok, err = process.send(process.pid(), "topic", count)
        if not ok then
            return { count = count, kind = err:kind(), retryable = err:retryable(), details = err:details(), text = tostring(err) }
        end
        count = count + 1
    end
end

local function host_calls()
    local count = 0
    while true do
        local ok, err = process.registry.lookup("limits.nobody")
        if err:kind() ~= "NotFound" then
            return { count = count, kind = err:kind(), retryable = err:retryable(), details = err:details() }
        end
        count = count + 1
    end
end

-- Takes no notice of refusals.
local function host_calls_forever()
    while true do
        process.registry.lookup("limits.nobody")
    end
end

return { messages = messages, host_calls = host_calls, host_calls_forever = host_calls_forever }
