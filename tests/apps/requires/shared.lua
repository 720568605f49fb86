local function encode(value)
    return require("json").encode(value)
end

local function identify()
    return require("uuid").v4()
end

return { encode = encode, identify = identify }
