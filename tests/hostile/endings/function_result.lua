-- attack: a result that cannot cross
-- stopped by: how an exit is made
-- ends: Invalid

local function main()
    return { callback = print }
end

return { main = main }
