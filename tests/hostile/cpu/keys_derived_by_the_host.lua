-- attack: lets threads of the host derive keys without end, many at a time
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: crypto

local function main()
    local crypto = require("crypto")
    for _ = 1, 8 do
        coroutine.spawn(function()
            while true do crypto.pbkdf2("password", "salt of eight", 200000, 32) end
        end)
    end
    channel.new():receive()
end

return { main = main }
