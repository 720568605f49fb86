-- attack: a process that ignores every request to stop
-- stopped by: limits.wall_time
-- ends: LimitExceeded wall_time

local function main()
    local events = process.events()
    process.cancel(process.pid())
    while true do
        events:receive()
    end
end

return { main = main }
