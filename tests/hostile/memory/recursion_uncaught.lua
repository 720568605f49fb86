-- attack: the same, not caught
-- stopped by: Lua's own stack limit
-- ends: Internal stack overflow | LimitExceeded memory

local function main()
    local function descend(depth)
        return 1 + descend(depth + 1)
    end
    return descend(1)
end

return { main = main }
