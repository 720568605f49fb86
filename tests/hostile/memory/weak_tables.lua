-- attack: ephemerons and weak tables in chains
-- stopped by: the collector
-- ends: ok

local function main()
    local map = setmetatable({}, { __mode = "k" })
    local first = {}
    local key = first
    for _ = 1, 20000 do
        local following = {}
        map[key] = following
        key = following
    end
    first, key = nil, nil
    for _ = 1, 200000 do
        local _ = {}
    end
    return true
end

return { main = main }
