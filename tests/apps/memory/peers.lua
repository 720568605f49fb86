local function fill()
    local list = {}
    while true do
        list[#list + 1] = string.rep("x", 1000) .. #list
    end
end

local function caught()
    local ok, err = pcall(fill)
    -- What filled the memory is garbage now: there is room again.
    local list = {}
    for number = 1, 1000 do
        list[number] = { number }
    end
    return { ok = ok, message = tostring(err), room = #list }
end

local function uncaught()
    fill()
end

local function strings()
    local text = "x"
    local ok, err = pcall(function()
        while true do
            text = text .. text
        end
    end)
    return { ok = ok, message = tostring(err) }
end

local function tables_forever()
    local last = {}
    while true do
        last = { last }
    end
end

local function coroutines_forever()
    local list = {}
    while true do
        local ok, thread = pcall(coroutine.spawn, function()
            channel.new():receive()
        end)
        if not ok or not thread then
            return #list > 0
        end
        list[#list + 1] = thread
    end
end

local function channels_forever()
    local list = {}
    while true do
        -- At the limit this raises, or gives nil and an error.
        local ok, ch = pcall(channel.new, 1)
        if not ok or not ch then
            return #list > 0
        end
        list[#list + 1] = ch
    end
end

local function fine(value)
    return value
end

-- Makes much more garbage than fits at once.
local function flat()
    local length = 0
    for number = 1, 200000 do
        length = length + #(string.rep("x", 1000) .. number)
    end
    return length > 200000000
end

return {
    caught = caught,
    uncaught = uncaught,
    strings = strings,
    tables_forever = tables_forever,
    coroutines_forever = coroutines_forever,
    channels_forever = channels_forever,
    fine = fine,
    flat = flat,
}
