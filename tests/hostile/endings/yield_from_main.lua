-- attack: a main function that yields
-- stopped by: how an exit is made
-- ends: ok | Internal

local function main()
    coroutine.yield(1, 2, 3)
    return true
end

return { main = main }
