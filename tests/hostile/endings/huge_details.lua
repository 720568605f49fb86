-- attack: an error with details of megabytes
-- stopped by: how an exit is made
-- ends: Conflict details

local function main()
    error(errors.new({ message = "details", kind = errors.CONFLICT, details = { text = ("x"):rep(1000000) } }))
end

return { main = main }
