local http = require("http")
local io = require("io")

local function main()
    local address, err = http.address("app:server")
    if err then
        return nil, err
    end
    io.print(string.format('{"address": "%s"}', address))
    io.readline()
end

return { main = main }
