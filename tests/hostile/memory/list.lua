-- attack: a list without end
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local list = {}
    while true do
        list[#list + 1] = #list
    end
end

return { main = main }
