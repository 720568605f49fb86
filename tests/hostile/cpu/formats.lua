-- attack: string.format and string.pack at their longest
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local values = {}
    for number = 1, 200 do
        values[number] = 1e308
    end
    while true do
        string.format(("%99.99f"):rep(200), table.unpack(values))
        string.pack(("d"):rep(200), table.unpack(values))
    end
end

return { main = main }
