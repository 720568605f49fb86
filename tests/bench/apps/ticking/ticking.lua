local time = require("time")

local function main(parent, interval)
    local ticks = time.ticker(interval):response()
    ticks:receive()
    assert(process.send(parent, "ticked"))
    while true do
        ticks:receive()
    end
end

return { main = main }
