-- attack: coroutines of the process without end
-- stopped by: limits.coroutines
-- ends: ok

local function main()
    local expect = require("expect")
    local count = 0
    local ok = pcall(function()
        while true do
            if not coroutine.spawn(function()
                channel.new():receive()
            end) then
                error("refused")
            end
            count = count + 1
        end
    end)
    assert(not ok and count <= 500, count)
    return true
end

return { main = main }
