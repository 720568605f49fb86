local io = require("io")

local function main(size, tokens, hops)
    local seconds, err = process.exec(
        "app:starter", "app:processes", math.tointeger(size), math.tointeger(tokens), math.tointeger(hops)
    )
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f}', seconds))
end

return { main = main }
