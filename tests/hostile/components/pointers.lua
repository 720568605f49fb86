-- attack: pointers and lengths that lead nowhere
-- stopped by: the bounds checks of the canonical ABI
-- ends: ok

local function main()
    local expect = require("expect")
    for number = 0, 15 do
        local value, err = expect.outcome("tenant:intruder", "tenant:processes", "pointers", number)
        assert(err and (err:kind() == "Internal" or err:kind() == "LimitExceeded"), number .. ": " .. tostring(value) .. " " .. tostring(err))
    end
    return true
end

return { main = main }
