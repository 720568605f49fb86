local io = require("io")

local function main(count)
    local report, err = process.exec("app:measure", "app:processes", math.tointeger(count))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f, "bytes": %d}', report.seconds, report.bytes))
end

return { main = main }
