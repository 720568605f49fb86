local queue = require("queue")
local numbers = require("numbers")

local function main(from)
    numbers.feed(from, function(n)
        return queue.publish("app:tasks", { n = n })
    end)
end

return { main = main }
