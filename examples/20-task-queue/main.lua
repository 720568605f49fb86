local io = require("io")
local queue = require("queue")

local function main()
    local results = process.listen("result")
    local tasks = {
        { action = "upper", text = "hello" },
        { action = "sum", numbers = { 1, 2, 3 } },
        { action = "flaky" },
        { action = "broken" },
    }
    for _, task in ipairs(tasks) do
        task.reply_to = process.pid()
        assert(queue.publish("app:tasks", task))
        -- One after another only so that the output has an order.
        io.print((results:receive()))
    end
end

return { main = main }
