-- attack: long lines without end
-- stopped by: limits.log_bytes_per_second
-- ends: ok | LimitExceeded cpu_per_turn

local function main()
    local text = ("x"):rep(60000)
    for _ = 1, 2000 do
        print(text)
    end
    return true
end

return { main = main }
