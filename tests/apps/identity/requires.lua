local json = require("json")

local function main(name)
    return { global = type(_G.json or json), required = require("json") == json, other = { pcall(require, name) } }
end

return { main = main }
