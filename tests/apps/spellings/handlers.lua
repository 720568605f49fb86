local http = require("http")
local security = require("security")

local function name()
    local actor = security.actor()
    return actor and actor:id() or "nobody"
end

local function who()
    http.response():write(name())
end

local function param()
    local req = http.request()
    http.response():write(req:param("id") .. "/" .. req:param("part"))
end

return { name = name, param = param, who = who }
