-- attack: processes that each start two of themselves
-- stopped by: quota.processes and limits.wall_time
-- ends: LimitExceeded wall_time

local function main()
    for _ = 1, 2 do
        process.spawn("tenant:fork_bomb_of_generations", "tenant:processes")
    end
    process.inbox():receive()
end

return { main = main }
