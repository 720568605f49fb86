local calls = 0 -- a fresh image: never more than one

local function main(text)
    if type(text) ~= "string" then
        return nil, errors.new({ message = "a text is needed, not a " .. type(text), kind = errors.INVALID })
    end
    calls = calls + 1
    local count = 0
    for _ in text:gmatch("%S+") do
        count = count + 1
    end
    return { words = count, calls = calls }
end

return { main = main }
