-- attack: calls that loop, left behind by who made them
-- stopped by: the end of who called, which cancels its calls
-- ends: ok

local function main(role)
    if role then
        while true do end
    end
    local funcs = require("funcs")
    for _ = 1, 20 do
        funcs.async("tenant:functions_beside_function", "loop")
    end
    return true
end

return { main = main }
