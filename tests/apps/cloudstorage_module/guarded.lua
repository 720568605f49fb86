local cloudstorage = require("cloudstorage")

local function main()
    local storage, err = cloudstorage.get("cloudstorage_module:on_aws")
    return { got = storage ~= nil, kind = err and err:kind() }
end

return { main = main }
