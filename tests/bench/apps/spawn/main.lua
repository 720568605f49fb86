local io = require("io")

local function main(count, window)
    local seconds, err = process.exec("app:spawner", "app:processes", math.tointeger(count), math.tointeger(window))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
