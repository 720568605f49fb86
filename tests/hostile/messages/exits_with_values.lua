-- attack: exits of monitored processes, each with a large value, that nobody looks at
-- stopped by: limits.mailbox_bytes
-- ends: ok

local function main(role)
    if role == "child" then
        return ("x"):rep(60000)
    end
    local started, refused = 0, 0
    while started < 300 do
        if process.spawn_monitored("tenant:exits_with_values", "tenant:processes", "child") then
            started = started + 1
        else
            refused = refused + 1
        end
    end
    -- All exits come, but not all values had room.
    local events, bytes, errors_seen = process.events(), 0, 0
    for _ = 1, started do
        local result = events:receive().result
        if result.error then
            assert(result.error:kind() == "RateLimited", tostring(result.error))
            errors_seen = errors_seen + 1
        else
            bytes = bytes + #result.value
        end
    end
    assert(errors_seen > 0, "everything fit")
    return true
end

return { main = main }
