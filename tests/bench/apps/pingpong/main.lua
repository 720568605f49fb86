local io = require("io")

local function main(count)
    local seconds, err = process.exec("app:ping", "app:processes", math.tointeger(count))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
