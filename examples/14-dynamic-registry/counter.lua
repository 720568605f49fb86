local greeting = require("greeting")

-- Counts questions. When its code, or what that imports, changes, it goes on with the new one and hands the count over.
local function main(count)
    count = count or 0
    assert(process.set_options({ upgradable = true }))
    local inbox, events = process.inbox(), process.events()
    while true do
        -- Cases are tried in this order, so that an upgrade comes before the next question.
        local ready = channel.select({ events:case_receive(), inbox:case_receive() })
        if ready.channel == events and ready.value.kind == process.event.OUTDATED then
            assert(process.upgrade(nil, count))
        elseif ready.channel == inbox then
            count = count + 1
            process.send(ready.value:payload():data(), "answer", greeting .. ", number " .. count)
        end
    end
end

return { main = main }
