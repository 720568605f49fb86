-- attack: calls of a module that wait for each other, each with large arguments that the node keeps meanwhile
-- stopped by: quota.memory, to which the arguments are charged until the call is over
-- ends: ok
-- modules: compress

local compress = require("compress")

local function main()
    local body = ("x"):rep(3900000)
    local results = channel.new(60)
    for _ = 1, 60 do
        coroutine.spawn(function()
            local packed, err = compress.brotli.encode(body, { level = 11 })
            results:send(packed and true or err)
        end)
    end
    for _ = 1, 60 do
        local result = results:receive()
        if result ~= true then
            assert(result:kind() == "LimitExceeded", tostring(result))
            assert(result:details().limit == "quota.memory", result:message())
            -- The calls that go on end with the process.
            return true
        end
    end
    error("everything was kept")
end

return { main = main }
