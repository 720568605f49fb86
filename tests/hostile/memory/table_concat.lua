-- attack: one text of many
-- stopped by: limits.memory, caught
-- ends: ok

local function main()
    local list = {}
    for number = 1, 1000 do
        list[number] = ("x"):rep(1000)
    end
    local text = table.concat(list)
    assert(not pcall(function()
        for number = 1, 1000 do
            list[number] = text
        end
        return table.concat(list, text)
    end))
    return true
end

return { main = main }
