-- attack: one process monitored by many, and many times
-- stopped by: one monitor for each pair
-- ends: ok

local function main()
    local expect = require("expect")
    local pid = assert(process.spawn("tenant:idle", "tenant:processes"))
    assert(process.monitor(pid))
    for _ = 1, 1000 do
        expect.refused("AlreadyExists", process.monitor(pid))
        assert(process.unmonitor(pid))
        assert(process.monitor(pid))
    end
    process.terminate(pid)
    assert(process.events():receive().from == pid)
    return true
end

return { main = main }
