-- Each stage is a process that knows only the next one. Values travel on the topic "value", the end on "end".
--
-- One inbox for both topics keeps them in the order in which they were sent.

-- A stage that is too slow fills its mailbox; the error says so, and the stage before it fails with it.
local function pass(to, topic, value)
    assert(process.send(to, topic, value))
end

local function each(handle)
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        if message:topic() == "end" then
            return
        end
        handle(message:payload():data())
    end
end

local function numbers(next_stage, count)
    for number = 1, count do
        pass(next_stage, "value", number)
    end
    pass(next_stage, "end")
end

local function squares(next_stage)
    each(function(number)
        pass(next_stage, "value", number * number)
    end)
    pass(next_stage, "end")
end

local function odd(next_stage)
    each(function(number)
        if number % 2 == 1 then
            pass(next_stage, "value", number)
        end
    end)
    pass(next_stage, "end")
end

-- The last stage: its result is the result of the pipeline.
local function sum()
    local total, count = 0, 0
    each(function(number)
        total = total + number
        count = count + 1
    end)
    return { total = total, count = count }
end

return { numbers = numbers, squares = squares, odd = odd, sum = sum }
