-- The neighbours: a pair that counts its round trips, and a victim that nobody may reach.
local time = require("time")

-- Answers each number with itself.
local function pong()
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        process.send(message:from(), "pong", message:payload():data())
    end
end

-- Sends numbers and waits for each to come back.
local function ping(driver)
    process.registry.register("neighbour.ping")
    local peer = assert(process.spawn_linked("neighbour:pong", "neighbour:processes"))
    local back, reports = process.listen("pong"), process.listen("report")
    local trips, lost = 0, 0
    process.send(driver, "ready", true)
    while true do
        trips = trips + 1
        assert(process.send(peer, "ping", trips))
        if back:receive() ~= trips then
            lost = lost + 1
        end
        local asked = channel.select({ reports:case_receive(), default = true })
        if not asked.default then
            process.send(asked.value, "answer", { trips = trips, lost = lost })
        end
        time.sleep("500us")
    end
end

-- Counts whatever reaches it, but for the question of the driver.
local function victim(driver)
    process.registry.register("neighbour.victim")
    process.set_options({ trap_links = true })
    local inbox, events, asked = process.inbox(), process.events(), process.listen("count")
    local heard = 0
    process.send(driver, "ready", true)
    while true do
        local got = channel.select({ inbox:case_receive(), events:case_receive(), asked:case_receive() })
        if got.channel == asked then
            process.send(got.value, "counted", heard)
        else
            heard = heard + 1
        end
    end
end

return { ping = ping, pong = pong, victim = victim }
