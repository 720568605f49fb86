-- attack: errors in __close of errors in __close
-- stopped by: Lua's limit of C calls
-- ends: ok | LimitExceeded memory

local function main()
    local function descend(depth)
        local _ <close> = setmetatable({}, {
            __close = function()
                descend(depth + 1)
            end,
        })
        error("again")
    end
    assert(not pcall(descend, 1))
    return true
end

return { main = main }
