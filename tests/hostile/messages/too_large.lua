-- attack: values beyond the size of a message, however they are sent
-- stopped by: limits.message_size
-- ends: ok

local function main()
    local expect = require("expect")
    local large = ("x"):rep(100000)
    expect.refused("LimitExceeded", process.send(process.pid(), "topic", large))
    expect.refused("LimitExceeded", process.send(process.pid(), "topic", large:sub(1, 40000), large:sub(1, 40000)))
    expect.refused("LimitExceeded", process.spawn("tenant:idle", "tenant:processes", large))
    expect.refused("LimitExceeded", process.exec("tenant:idle", "tenant:processes", large))
    expect.refused("LimitExceeded", process.with_context({ large = large }):spawn("tenant:idle", "tenant:processes"))
    expect.refused("LimitExceeded", require("funcs").call("tenant:echo", large))
    local builder = process.with_context({})
    for _ = 1, 100 do
        builder = builder:with_message("topic", large:sub(1, 60000))
    end
    expect.refused("LimitExceeded", builder:spawn("tenant:idle", "tenant:processes"))
    return true
end

return { main = main }
