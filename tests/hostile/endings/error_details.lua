-- attack: an error whose details cannot cross
-- stopped by: how an exit is made
-- ends: Invalid bad details

local function main()
    local cycle = {}
    cycle.cycle = cycle
    return nil, errors.new({ message = "bad details", kind = errors.INVALID, details = { cycle = cycle, f = print } })
end

return { main = main }
