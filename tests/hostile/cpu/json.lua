-- attack: documents encoded and decoded without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local json = require("json")
    local list = {}
    for number = 1, 5000 do
        list[number] = { number }
    end
    while true do
        json.decode(json.encode(list))
    end
end

return { main = main }
