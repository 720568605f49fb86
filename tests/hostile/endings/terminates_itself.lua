-- attack: a process that ends itself, twice
-- stopped by: how an exit is made
-- ends: Canceled

local function main()
    process.terminate(process.pid())
    process.terminate(process.pid())
    while true do end
end

return { main = main }
