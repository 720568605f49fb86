local http = require("http")
local security = require("security")

local function who()
    local actor = security.actor()
    http.response():write(actor and actor:id() or "nobody")
end

return { who = who }
