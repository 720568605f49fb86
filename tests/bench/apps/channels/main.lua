local io = require("io")

local function main(count, size)
    local seconds, err = process.exec("app:channels", "app:processes", math.tointeger(count), math.tointeger(size))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
