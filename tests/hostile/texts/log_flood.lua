-- attack: lines without end
-- stopped by: limits.log_lines_per_second
-- ends: ok | LimitExceeded cpu_per_turn

local function main()
    for number = 1, 100000 do
        print("flood", number)
    end
    return true
end

return { main = main }
