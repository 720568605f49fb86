-- Protected calls: without an error, with errors of several kinds, and through many frames.

local function deep(level, failure)
    if level == 0 then
        error(failure, 0)
    end
    return deep(level - 1, failure) + 1
end

local function parse(text)
    local number = tonumber(text)
    if not number then
        error({ kind = "Invalid", text = text })
    end
    return number
end

local function run()
    local sum = 0
    for i = 1, 200000 do
        local _, value = pcall(math.max, i, 3)
        sum = sum + value
    end
    for i = 1, 100000 do
        local ok, err = pcall(parse, i % 2 == 0 and "12" or "twelve")
        sum = sum + (ok and err or #err.text)
    end
    for i = 1, 60000 do
        local _, message = pcall(error, "stop " .. i % 10)
        sum = sum + #message
    end
    for _ = 1, 20000 do
        local _, message = pcall(deep, 20, "deep")
        sum = sum + #message
    end
    for i = 1, 40000 do
        local missing
        local ok = pcall(function() return missing.field end)
        sum = sum + (ok and 1 or 2)
        local _, handled = xpcall(parse, function(err) return err.kind end, "x" .. i % 3)
        sum = sum + #handled
    end
    return sum
end

return { run = run }
