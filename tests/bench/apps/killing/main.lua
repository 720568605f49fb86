local io = require("io")

local function main(count, together)
    local seconds, err = process.exec("app:killer", "app:processes", math.tointeger(count), math.tointeger(together))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
