local check = require("check")
local env = require("env")
local funcs = require("funcs")
local http = require("http")
local http_client = require("http_client")
local security = require("security")
local sql = require("sql")
local store = require("store")

local base = "http://" .. http.address("gateway")
local tokens = assert(security.token_store("spellings:tokens"))
local scope = security.new_scope({ assert(security.policy("spellings:members")) })
local token = assert(tokens:create(security.new_actor("ann", {}), scope))
local bearer = { Authorization = "Bearer " .. token }

check.case("options of middleware may leave its name out", function()
    check.equal(http_client.get(base .. "/api/who", { headers = bearer }).body, "ann")
    local function allowed(origin)
        local resp = http_client.get(base .. "/api/who", { headers = { Origin = origin } })
        return resp.headers["Access-Control-Allow-Origin"]
    end
    check.equal(allowed("https://app.example.com"), "https://app.example.com")
    check.equal(allowed("http://localhost:8080"), "http://localhost:8080")
    check.equal(allowed("http://localhost:8081"), nil)
end)

check.case("a firewall works in either list of middleware", function()
    local stranger = assert(tokens:create(security.new_actor("bob", {}), security.new_scope()))
    local headers = { Authorization = "Bearer " .. stranger }
    check.equal(http_client.get(base .. "/firewall/who", { headers = headers }).status_code, 403)
    check.equal(http_client.get(base .. "/firewall/who", { headers = bearer }).body, "ann")
end)

check.case("a path may end with a mark that nothing follows", function()
    check.equal(http_client.get(base .. "/").body, "the-server")
end)

check.case("a parameter of a path may be written with a colon", function()
    check.equal(http_client.get(base .. "/api/things/7/name").body, "7/name")
end)

check.case("files may say what is theirs among the options of middleware, and name a directory of their volume", function()
    check.equal(http_client.get(base .. "/start.html").body, "<p>start</p>\n")
    check.equal(http_client.get(base .. "/not/there").body, "<p>start</p>\n")
    check.equal(http_client.get(base .. "/outside.txt").body, "<p>start</p>\n")
end)

check.case("a function acts as its entry says", function()
    check.equal(funcs.call("spellings:own"), "the-function")
    local as_ann = funcs.new():with_actor(security.new_actor("ann", {}))
    check.equal(as_ann:call("spellings:own"), "the-function")
end)

check.case("a command acts as its meta says", function()
    check.equal(security.actor():id(), "the-command")
end)

-- `env: env` among the imports is the module.
check.case("a variable without a storage has its default", function()
    check.equal(env.get("SPELLINGS_COLOR"), "blue")
    local ok, err = env.set("SPELLINGS_COLOR", "red")
    check.equal(ok, nil)
    check.equal(err:kind(), errors.PERMISSION_DENIED)
end)

check.case("a store in a database may call its table `table`", function()
    local database = assert(sql.get("spellings:database"))
    assert(database:execute("CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at BIGINT)"))
    local rows = assert(store.get("spellings:rows"))
    assert(rows:set("a", 1))
    check.equal(rows:get("a"), 1)
    database:release()
end)

return { main = check.main }
