-- attack: a web of links that all break at once
-- stopped by: each link being broken once
-- ends: ok

local function main(role)
    if role then
        local pids = process.inbox():receive():payload():data()
        for _, pid in ipairs(pids) do
            process.link(pid)
        end
        process.inbox():receive()
        error("broken")
    end
    local pids, monitored = {}, 0
    for number = 1, 20 do
        pids[number] = assert(process.spawn_monitored("tenant:links", "tenant:processes", "node"))
    end
    for _, pid in ipairs(pids) do
        assert(process.send(pid, "peers", pids))
    end
    assert(process.send(pids[1], "break", true))
    local events = process.events()
    for _ = 1, 20 do
        assert(events:receive().result.error)
    end
    return true
end

return { main = main }
