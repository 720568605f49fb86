local http = require("http")
local logger = require("logger")

-- Says where the server listens, and notes what was packed.
local function main()
    process.registry.register("ledger")
    local packed, events = process.listen("packed"), process.events()
    print("the address is " .. http.address("app:gateway") .. " .")
    while true do
        local ready = channel.select({ packed:case_receive(), events:case_receive() })
        if ready.channel == packed then
            logger:info("noted", { id = ready.value })
        elseif ready.value.kind == process.event.CANCEL then
            return
        end
    end
end

return { main = main }
