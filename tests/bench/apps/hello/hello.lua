local io = require("io")

local function main()
    io.print("hello")
end

return { main = main }
