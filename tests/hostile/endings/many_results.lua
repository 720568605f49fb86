-- attack: more results than anybody wants
-- stopped by: how an exit is made
-- ends: ok | Internal

local function main()
    local list = {}
    for number = 1, 100000 do
        list[number] = true
    end
    return table.unpack(list)
end

return { main = main }
