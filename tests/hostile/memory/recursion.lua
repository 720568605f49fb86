-- attack: a recursion without end, caught
-- stopped by: Lua's own stack limit
-- ends: ok

local function main()
    local function descend(depth)
        return 1 + descend(depth + 1)
    end
    local ok, err = pcall(descend, 1)
    assert(not ok and (tostring(err):find("stack overflow") or tostring(err):find("memory")), err)
    return true
end

return { main = main }
