local io = require("io")

-- This may never run, so it is a warning, and said once.
local function encode(value)
    return require("json").encode(value)
end

local function main()
    io.print(type(encode))
end

return { main = main }
