local http = require("http")
local security = require("security")

local function name()
    local actor = security.actor()
    return actor and actor:id() or "nobody"
end

local function who()
    http.response():write(name())
end

return { name = name, who = who }
