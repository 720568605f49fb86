-- attack: closures with upvalues without end
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local last
    while true do
        local before = last
        last = function()
            return before
        end
    end
end

return { main = main }
