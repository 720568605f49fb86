local gone = require("gone")

local function main()
    return gone.value
end

return { main = main }
