-- attack: a process that takes a name like a lock and never answers
-- stopped by: limits.wall_time
-- ends: LimitExceeded wall_time

local function main()
    assert(process.registry.register("tenant.lock"))
    while true do
        process.inbox():receive()
    end
end

return { main = main }
