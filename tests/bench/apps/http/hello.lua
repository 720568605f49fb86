local http = require("http")

local function handler()
    http.response():write("Hello, World!")
end

return { handler = handler }
