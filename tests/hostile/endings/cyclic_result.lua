-- attack: a result that contains itself
-- stopped by: how an exit is made
-- ends: Invalid

local function main()
    local value = {}
    value.value = value
    return value
end

return { main = main }
