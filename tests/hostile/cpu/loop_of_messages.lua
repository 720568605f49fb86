-- attack: a process that sends to itself without end
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total | LimitExceeded wall_time

local function main()
    local inbox = process.inbox()
    process.send(process.pid(), "again", 0)
    while true do
        process.send(process.pid(), "again", inbox:receive():payload():data() + 1)
    end
end

return { main = main }
