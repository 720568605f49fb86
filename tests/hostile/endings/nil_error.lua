-- attack: an error that is nothing
-- stopped by: how an exit is made
-- ends: Internal

local function main()
    error(nil)
end

return { main = main }
