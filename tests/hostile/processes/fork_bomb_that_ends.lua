-- attack: children that end at once, without end
-- stopped by: limits.spawns_per_second
-- ends: ok | LimitExceeded spawns_per_second
-- limits: { spawns_per_second: 2000 }

local function main(role)
    if role then
        return role
    end
    local time = require("time")
    local deadline = time.now():unix_nano() + 1000000000
    repeat
        process.spawn("tenant:fork_bomb_that_ends", "tenant:processes", "child")
    until time.now():unix_nano() > deadline
    return true
end

return { main = main }
