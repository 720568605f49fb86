-- attack: names without end, and names that are none
-- stopped by: limits.names
-- ends: ok

local function main()
    local expect = require("expect")
    local register = process.registry.register
    for _, name in ipairs({ "", "{x|1}", "@host", "\27[2J", "a\0b", ("x"):rep(256), ("x"):rep(1000000), "\xff" }) do
        expect.refused("Invalid", register(name))
    end
    local _, count = expect.until_refused("LimitExceeded", 100000, function(number)
        return register("tenant.name." .. number)
    end)
    assert(count <= 64, count)
    return true
end

return { main = main }
