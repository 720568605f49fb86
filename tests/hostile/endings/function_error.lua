-- attack: an error that is a function
-- stopped by: how an exit is made
-- ends: Internal

local function main()
    error(print)
end

return { main = main }
