local check = require("check")

local HOST = "lib:processes"
local EXIT = process.event.EXIT
local LINK_DOWN = process.event.LINK_DOWN

check.case("all that link themselves to one learn that it failed", function()
    local members = process.listen("members")
    local hub = assert(process.spawn_monitored("topologies:hub", HOST, process.pid(), 10))
    local spokes = check.receive(members)
    check.equal(#spokes, 10)
    for _, spoke in ipairs(spokes) do
        check.is_true(process.monitor(spoke))
    end
    process.send(hub, "fail")
    check.contains(tostring(check.event(EXIT, hub).result.error), "the hub fails")
    for _, spoke in ipairs(spokes) do
        check.equal(check.event(EXIT, spoke).result.value, { kind = LINK_DOWN, from = hub })
    end
    check.no_event()
    process.unlisten(members)
end)

-- A failure runs along links in both directions, so it does not matter which one fails first.
for _, first in ipairs({ 1, 3, 5 }) do
    check.case("a chain of links ends as a whole when number " .. first .. " of 5 fails", function()
        local members = process.listen("members")
        assert(process.spawn("topologies:node", HOST, process.pid(), 4))
        local chain = check.receive(members)
        check.equal(#chain, 5)
        for _, pid in ipairs(chain) do
            check.is_true(process.monitor(pid))
        end
        process.send(chain[first], "fail")
        for _, pid in ipairs(chain) do
            local failure = tostring(check.event(EXIT, pid).result.error)
            check.equal(failure:find("this node fails", 1, true) ~= nil, pid == chain[first])
        end
        check.no_event()
        process.unlisten(members)
    end)
end

return { main = check.main }
