local shared = require("shared")

-- Answers questions about its state, and goes on as another entry when it is told to.
local function serve(name, count)
    process.set_options({ upgradable = true })
    local inbox, events = process.inbox(), process.events()
    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == events then
            local event = ready.value
            if event.kind == process.event.OUTDATED then
                process.send("upgrade.main", "outdated", event.sources)
            else
                process.send("upgrade.main", "event", event.kind, event.from, event.result and event.result.value)
            end
        else
            local topic, value = ready.value:topic(), ready.value:payload()
            value = value and value:data()
            if topic == "add" then
                count = count + value
            elseif topic == "ask" then
                process.send("upgrade.main", "answer", { name = name, count = count, version = shared.version, id = process.id() })
            elseif topic == "upgrade" then
                local _, err = process.upgrade(value.id, count, value.reply)
                process.send("upgrade.main", "failed", err)
            elseif topic == "watch" then
                process.monitor(value)
                process.send("upgrade.main", "watching", true)
            elseif topic == "stop" then
                return name .. " " .. count
            end
        end
    end
end

local function first(count)
    return serve("first", count or 0)
end

local function second(count, reply)
    if reply then
        reply:send(count)
    end
    return serve("second", count)
end

-- Does not want to know what changes.
local function plain()
    local message = process.inbox():receive()
    return message:topic()
end

return { first = first, second = second, plain = plain }
