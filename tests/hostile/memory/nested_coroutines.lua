-- attack: coroutines that resume coroutines
-- stopped by: Lua's limit of C calls
-- ends: ok

local function main()
    local depth = 0
    local function descend()
        depth = depth + 1
        local inner = coroutine.create(descend)
        return coroutine.resume(inner)
    end
    descend()
    assert(depth > 10 and depth < 10000)
    return true
end

return { main = main }
