local io = require("io")

local function main(program, repetitions)
    local result, err = process.exec("app:measure", "app:processes", program, math.tointeger(repetitions))
    if err then
        return nil, err
    end
    io.print(string.format('{"seconds": %.9f, "result": "%s"}', result.seconds, result.result))
end

return { main = main }
