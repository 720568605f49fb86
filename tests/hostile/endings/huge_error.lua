-- attack: an error of megabytes
-- stopped by: how an exit is made
-- ends: Internal xxxx

local function main()
    error(("x"):rep(3000000))
end

return { main = main }
