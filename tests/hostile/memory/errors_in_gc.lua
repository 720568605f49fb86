-- attack: finalizers that raise, and errors that are raised while memory is short
-- stopped by: limits.memory
-- ends: ok | LimitExceeded memory

local function main()
    local class = {
        __gc = function()
            error("no")
        end,
    }
    for _ = 1, 20000 do
        setmetatable({}, class)
    end
    local list = {}
    local ok, err = pcall(function()
        while true do
            list[#list + 1] = setmetatable({ ("x"):rep(500) .. #list }, class)
        end
    end)
    list = nil
    assert(not ok)
    return true
end

return { main = main }
