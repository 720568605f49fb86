-- attack: JSON that nests without end, both ways
-- stopped by: the depth limit of json
-- ends: ok
-- modules: json

local function main()
    local json = require("json")
    for _, text in ipairs({ ("["):rep(200000), ('{"a":'):rep(200000), ("["):rep(100000) .. ("]"):rep(100000) }) do
        local value, err = json.decode(text)
        assert(value == nil and err)
    end
    local deep = {}
    local last = deep
    for _ = 1, 50000 do
        last[1] = {}
        last = last[1]
    end
    local text, err = json.encode(deep)
    assert(text == nil and err)
    last[1] = deep
    text, err = json.encode(deep)
    assert(text == nil and err)
    return true
end

return { main = main }
