local ctx = require("ctx")
local funcs = require("funcs")

local function tell()
    return ctx.all()
end

-- Calls on with one value more.
local function pass(name, value)
    return funcs.new():with_context({ [name] = value }):call("ctx:tell")
end

return { tell = tell, pass = pass }
