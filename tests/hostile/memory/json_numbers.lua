-- attack: JSON with absurd numbers and keys
-- stopped by: the decoder
-- ends: ok
-- modules: json

local function main()
    local json = require("json")
    for _, text in ipairs({ "1e999999", "-" .. ("9"):rep(100000), "0." .. ("0"):rep(100000) .. "1", '"\\ud800"', '"\\u0000"', "1e-99999999999" }) do
        pcall(json.decode, text)
    end
    local many = {}
    for number = 1, 5000 do
        many[number] = '"' .. ("k"):rep(number % 7) .. '":1'
    end
    pcall(json.decode, "{" .. table.concat(many, ",") .. "}")
    pcall(json.encode, { [0 / 0 ~= 0 / 0] = 1, x = 0 / 0, y = math.huge })
    return true
end

return { main = main }
