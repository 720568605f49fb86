-- A document of about 10 KB as JSON: records with texts, numbers of both kinds, booleans and nested tables.
local words = { "harbour", "lantern", "quiet", "Straße", "ember", "willow", "\"quoted\"", "granite" }

local function record(number)
    local function word(offset)
        return words[(number + offset) % #words + 1]
    end
    return {
        id = number,
        name = word(0) .. " " .. word(1),
        price = number * 1.25 + 0.1,
        available = number % 3 ~= 0,
        tags = { word(2), word(3), word(4) },
        place = { street = word(5) .. " " .. number, latitude = 48.1 + number / 1000, longitude = 11.5 - number / 1000 },
        note = word(6) .. ": " .. word(7) .. " and " .. word(3) .. "\n",
    }
end

local records = {}
for number = 1, 44 do
    records[number] = record(number)
end
return { total = #records, records = records }
