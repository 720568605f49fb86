-- attack: finalizers that bring their objects back
-- stopped by: limits.memory
-- ends: ok | LimitExceeded memory

local function main()
    local kept, count = {}, 0
    local class = {}
    class.__gc = function(object)
        count = count + 1
        kept[#kept + 1] = setmetatable(object, class)
    end
    for _ = 1, 100000 do
        setmetatable({}, class)
    end
    return true
end

return { main = main }
