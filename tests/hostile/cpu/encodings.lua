-- attack: base64, hashes and uuids without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn
-- modules: base64, hash, uuid

local function main()
    local base64, hash, uuid = require("base64"), require("hash"), require("uuid")
    local text = ("x"):rep(200000)
    while true do
        base64.decode(base64.encode(text))
        hash.sha512(text)
        uuid.v4()
    end
end

return { main = main }
