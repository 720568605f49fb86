local HOST = "lib:processes"

-- Gathers spokes that link themselves to it, shows them to `observer`, and fails when told.
local function hub(observer, count)
    process.set_options({ trap_links = true })
    local inbox = process.inbox()
    local spokes = {}
    for i = 1, count do
        local spoke = assert(process.spawn("topologies:spoke", HOST))
        process.send(spoke, "hub", process.pid())
        spokes[i] = spoke
    end
    for _ = 1, count do
        assert(inbox:receive():topic() == "linked")
    end
    process.send(observer, "members", spokes)
    inbox:receive()
    error("the hub fails")
end

local function spoke()
    process.set_options({ trap_links = true })
    local pid = process.inbox():receive():payload():data()
    assert(process.link(pid))
    process.send(pid, "linked", process.pid())
    local event = process.events():receive()
    return { kind = event.kind, from = event.from }
end

-- One of a chain, each linked to the next; the last shows all of them to `observer`.
local function node(observer, depth, members)
    members = members or {}
    members[#members + 1] = process.pid()
    if depth > 0 then
        assert(process.spawn_linked("topologies:node", HOST, observer, depth - 1, members))
    else
        process.send(observer, "members", members)
    end
    process.inbox():receive()
    error("this node fails")
end

return { hub = hub, spoke = spoke, node = node }
