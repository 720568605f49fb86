local io = require("io")
local json = require("json")

local function main()
    io.print(json.encode({ 1 }))
end

return { main = main }
