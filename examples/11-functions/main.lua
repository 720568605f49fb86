local io = require("io")
local funcs = require("funcs")

local TEXTS = { "one two three", "four five", "six" }

local function main()
    -- One call: the result, or nil and an error.
    local result = funcs.call("app:word_count", "hello there")
    io.print("words: " .. result.words)

    local _, err = funcs.call("app:word_count", 42)
    io.print(err:kind() .. ": " .. err:message())

    -- Several at once: start all of them, then wait for each.
    local futures = {}
    for index, text in ipairs(TEXTS) do
        futures[index] = assert(funcs.async("app:word_count", text))
    end
    local total, calls = 0, 0
    for _, future in ipairs(futures) do
        local data = future:response():receive():data()
        total = total + data.words
        calls = math.max(calls, data.calls)
    end
    io.print("words in " .. #futures .. " texts: " .. total)
    io.print("calls that one image has seen: " .. calls)
end

return { main = main }
