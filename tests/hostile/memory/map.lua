-- attack: a map without end
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local map = {}
    while true do
        map[#map .. "/" .. math.random()] = true
    end
end

return { main = main }
