-- attack: tables without end
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local last
    while true do
        last = { last }
    end
end

return { main = main }
