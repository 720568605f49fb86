-- attack: methods called on what they do not belong to
-- stopped by: checks of receivers
-- ends: ok | Internal deadlock
-- modules: time, funcs

local function main()
    local objects = { channel.new(1), errors.new("x"), time.now(), process.with_context({}), process.inbox(), funcs.new(), time.timer("1h"), channel.new(1):case_receive() }
    local count = 0
    for _, object in ipairs(objects) do
        for _, name in ipairs({ "send", "receive", "close", "case_send", "kind", "message", "stack", "format", "unix", "add", "with_context", "with_message", "spawn", "call", "stop", "reset", "response", "__gc", "__index", "__newindex", "__metatable" }) do
            local ok, method = pcall(function() return object[name] end)
            if ok and type(method) == "function" and name ~= "receive" and name ~= "send" then
                for _, other in ipairs(objects) do
                    pcall(method, other)
                    pcall(method, other, other)
                end
                pcall(method)
                pcall(method, {})
                pcall(method, 1)
                count = count + 1
            end
        end
        assert(not pcall(function() object.field = 1 end) or true)
        assert(not pcall(setmetatable, object, {}))
        local meta = getmetatable(object)
        assert(type(meta) ~= "table" or not pcall(rawset, meta, "__index", print), "a metatable can be changed")
    end
    assert(count > 5, count)
    return true
end

return { main = main }
