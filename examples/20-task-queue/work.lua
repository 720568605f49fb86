local queue = require("queue")

local actions = {}

function actions.upper(task)
    return string.upper(task.text)
end

function actions.sum(task)
    local total = 0
    for _, number in ipairs(task.numbers) do
        total = total + number
    end
    return "sum: " .. total
end

function actions.flaky(task)
    local attempt = queue.message():attempts()
    if attempt == 1 then
        error("not yet")
    end
    return "flaky worked at attempt " .. attempt
end

local function work(task)
    local action = actions[task.action]
    if not action then
        return nil, errors.new({ message = task.action .. ": no such action", kind = errors.INVALID })
    end
    process.send(task.reply_to, "result", action(task))
end

-- Gets what failed too often.
local function report(task)
    local headers = queue.message():headers()
    local attempts, reason = headers.x_dead_letter_attempts, headers.x_dead_letter_reason
    process.send(task.reply_to, "result", "given up after " .. attempts .. " attempts: " .. reason)
end

return { work = work, report = report }
