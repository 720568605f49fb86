local io = require("io")

local function main(senders, each)
    local result, err = process.exec("app:receiver", "app:processes", math.tointeger(senders), math.tointeger(each))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f, "refused": %d}', result.seconds, result.refused))
end

return { main = main }
