local http = require("http")

-- Says where the server listens, and how the calls end that ask for it.
local function main()
    process.registry.register("watcher")
    local asked, events = process.listen("watch", { message = true }), process.events()
    print("the address is " .. http.address("app:gateway") .. " .")
    while true do
        local ready = channel.select({ asked:case_receive(), events:case_receive() })
        if ready.channel == asked then
            local pid = ready.value:payload():data()
            process.monitor(pid)
            process.send(pid, "watched", true)
        elseif ready.value.kind == process.event.CANCEL then
            return
        else
            local err = ready.value.result and ready.value.result.error
            print("the call ended: " .. (err and tostring(err) or "well"))
        end
    end
end

return { main = main }
