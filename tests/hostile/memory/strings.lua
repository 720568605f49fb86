-- attack: a string that doubles
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local text = "x"
    while true do
        text = text .. text
    end
end

return { main = main }
