local archive = require("archive")

local function main()
    local _, reading = archive.open("PK")
    local _, writing = archive.create({ write = function() return true end }, { format = "zip" })
    return { reading:kind(), writing:kind() }
end

return { main = main }
