-- attack: children that loop after their parent has ended
-- stopped by: limits.wall_time
-- ends: ok

local function main(role)
    if role then
        while true do end
    end
    for _ = 1, 6 do
        assert(process.spawn("tenant:left_behind", "tenant:processes", "loop"))
    end
    return true
end

return { main = main }
