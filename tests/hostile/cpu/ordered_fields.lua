-- attack: a table of many fields, written in an order that names as many
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total | LimitExceeded cpu_per_turn
-- modules: yaml

local function main()
    local yaml = require("yaml")
    local fields, order = {}, {}
    for number = 1, 10000 do
        order[number] = "field" .. number
        fields[order[number]] = true
    end
    while true do
        yaml.encode(fields, { field_order = order })
    end
end

return { main = main }
