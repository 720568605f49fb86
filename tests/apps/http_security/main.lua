local check = require("check")
local http = require("http")
local http_client = require("http_client")
local security = require("security")

local base = "http://" .. http.address("gateway")
local store = assert(security.token_store("http_security:tokens"))
local scope = security.new_scope({ assert(security.policy("http_security:members")) })
local token = assert(store:create(security.new_actor("ann", {}), scope))

check.case("a request acts as its token says, wherever it stands", function()
    local bearer = http_client.get(base .. "/who", { headers = { Authorization = "Bearer " .. token } })
    check.equal(bearer.body, "ann")
    check.equal(http_client.get(base .. "/who", { query = { ["x-auth-token"] = token } }).body, "ann")
    check.equal(http_client.get(base .. "/who", { cookies = { ["x-auth-token"] = token } }).body, "ann")
end)

check.case("without a valid token it acts as its server", function()
    check.equal(http_client.get(base .. "/who").body, "the-server")
    local forged = http_client.get(base .. "/who", { headers = { Authorization = "Bearer " .. token .. "x" } })
    check.equal(forged.body, "the-server")
end)

check.case("a firewall asks the policies about the endpoint", function()
    local headers = { Authorization = "Bearer " .. token }
    check.equal(http_client.get(base .. "/firewall/member", { headers = headers }).body, "ann")
    check.equal(http_client.get(base .. "/firewall/other", { headers = headers }).status_code, 403)
end)

return { main = check.main }
