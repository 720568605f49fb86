-- A child that does what it is told.
local function main(name)
    assert(process.registry.register(name))
    -- Who counts may not be there yet.
    while not process.send("counter", "started", name) do
        time.sleep("2ms")
    end
    local inbox, events = process.inbox(), process.events()
    while true do
        local ready = channel.select({ inbox:case_receive(), events:case_receive() })
        if ready.channel == events then
            return
        end
        local what = ready.value:topic()
        if what == "fail" then
            error("told to fail")
        elseif what == "end" then
            return
        end
    end
end

return { main = main }
