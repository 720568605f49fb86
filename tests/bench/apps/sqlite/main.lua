local io = require("io")

local function main(readers, each)
    local seconds, err = process.exec("app:measure", "app:processes", math.tointeger(readers), math.tointeger(each))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
