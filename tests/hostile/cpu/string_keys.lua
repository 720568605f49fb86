-- attack: long strings that hash alike, because only some bytes count
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local middle = ("x"):rep(2000)
    while true do
        local map = {}
        for number = 1, 200 do
            map[middle .. number .. middle] = true
        end
    end
end

return { main = main }
