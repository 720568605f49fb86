-- Building, taking apart, searching, replacing.

local function words(count)
    local parts = {}
    for i = 1, count do
        parts[i] = string.format("%s-%05d:%x", "word", i, i * 2654435761 % 65536)
    end
    return table.concat(parts, " ")
end

local function count_words(text)
    local counts, distinct = {}, 0
    for word in text:gmatch("[%w]+") do
        if not counts[word] then
            counts[word] = 0
            distinct = distinct + 1
        end
        counts[word] = counts[word] + 1
    end
    return distinct
end

local function checksum(text)
    local sum = 0
    for i = 1, #text do
        sum = (sum * 31 + text:byte(i)) % 1000000007
    end
    return sum
end

local function build(count)
    local text = ""
    for i = 1, count do
        text = text .. string.char(97 + i % 26)
        if #text > 200 then
            text = text:sub(101):upper():lower():reverse()
        end
    end
    return text
end

local function split(text, separator)
    local fields, start = {}, 1
    while true do
        local at = text:find(separator, start, true)
        if not at then
            fields[#fields + 1] = text:sub(start)
            return fields
        end
        fields[#fields + 1] = text:sub(start, at - 1)
        start = at + 1
    end
end

local function run()
    local text = words(20000)
    local replaced = text:gsub("%-(%d+)", function(digits) return "+" .. tonumber(digits) + 1 end)
    local swapped = replaced:gsub("(%w+)%+(%w+)", "%2=%1")
    return count_words(text) + #split(swapped, ":") + checksum(swapped) + checksum(build(60000)) + #text:rep(10)
end

return { run = run }
