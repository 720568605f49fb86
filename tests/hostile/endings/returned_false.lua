-- attack: a failure that says nothing
-- stopped by: how an exit is made
-- ends: unknown | Internal

local function main()
    return false, ""
end

return { main = main }
