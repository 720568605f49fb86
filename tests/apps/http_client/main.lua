local check = require("check")
local http = require("http")
local http_client = require("http_client")
local json = require("json")

local address = http.address("gateway")
local port = string.match(address, ":(%d+)$")
local base = "http://" .. address

local function reflect(method, options)
    local resp, err = http_client.request(method, base .. "/reflect", options)
    if not resp then
        error("failed: " .. tostring(err), 2)
    end
    return json.decode(resp.body), resp
end

check.case("an answer has all its fields", function()
    local _, resp = reflect("GET")
    check.equal(resp.status_code, 200)
    check.equal(resp.body_size, #resp.body)
    check.equal(resp.headers["Content-Type"], "application/json")
    check.equal(resp.cookies, { session = "abc" })
    check.equal(resp.url, base .. "/reflect")
    check.is_nil(resp.stream)
end)

check.case("query, headers, cookies and authentication are sent", function()
    local seen, resp = reflect("GET", {
        query = { q = "lua programming", page = 1 },
        headers = { ["X-Custom"] = "yes" },
        cookies = { a = "1", b = "2" },
        auth = { user = "admin", pass = "secret" },
        timeout = "30s",
    })
    check.equal(seen.query, { q = "lua programming", page = "1" })
    check.equal(seen.custom, "yes")
    check.equal(seen.cookie, "a=1; b=2")
    check.equal(seen.auth, "Basic YWRtaW46c2VjcmV0")
    check.is_true(seen.agent)
    check.equal(resp.url, base .. "/reflect?page=1&q=lua+programming")
end)

check.case("bodies and forms are sent", function()
    check.equal(reflect("POST", { body = "text" }).body, "text")
    check.equal(reflect("PATCH", { body = "\0x" }).method, "PATCH")
    local form = reflect("POST", { form = { b = "2 3", a = "1&" } })
    check.equal(form.body, "a=1%26&b=2+3")
    check.equal(form.type, "application/x-www-form-urlencoded")
end)

check.case("redirects are followed", function()
    local resp = http_client.get(base .. "/redirect?to=/reflect?x=1")
    check.equal(resp.status_code, 200)
    check.equal(resp.url, base .. "/reflect?x=1")
    local see_other = http_client.post(base .. "/redirect?to=/reflect", { body = "gone" })
    check.equal(json.decode(see_other.body).method, "GET")
    check.equal(json.decode(see_other.body).body, "")
    local kept = http_client.post(base .. "/redirect?status=307&to=/reflect", { body = "kept" })
    check.equal(json.decode(kept.body).method, "POST")
    check.equal(json.decode(kept.body).body, "kept")
    check.fails("Internal", http_client.get(base .. "/redirect"))
end)

check.case("what was meant for one server is not sent to another", function()
    local to = http_client.encode_uri("http://localhost:" .. port .. "/reflect")
    local resp = http_client.get(base .. "/redirect?to=" .. to, { auth = { user = "u", pass = "p" }, cookies = { c = "1" } })
    local seen = json.decode(resp.body)
    check.is_nil(seen.auth)
    check.is_nil(seen.cookie)
end)

check.case("a timeout ends a request, and may go better next time", function()
    local err = check.fails("Internal", http_client.get(base .. "/sleep", { timeout = 0.1 }))
    check.is_true(err:retryable())
    check.contains(err:message(), "timeout")
end)

check.case("a connection that nobody takes is an error that may go better next time", function()
    local err = check.fails("Internal", http_client.get("http://127.0.0.1:1/"))
    check.is_true(err:retryable())
end)

check.case("a packed answer counts as what it unpacks to", function()
    local url = base .. "/packed/large"
    check.equal(http_client.get(url).body_size, 500000)
    check.fails("LimitExceeded", http_client.get(url, { max_response_body = 100000 }))
    local stream = http_client.get(url, { stream = true }).stream
    local size = 0
    while true do
        local chunk, err = stream:read(65536)
        check.is_nil(err)
        if not chunk then
            break
        end
        size = size + #chunk
    end
    check.equal(size, 500000)
    check.is_true(stream:close())
    check.fails("Internal", stream:read())
end)

check.case("a batch keeps its order", function()
    local responses, errors = http_client.request_batch({
        { "GET", base .. "/reflect", { query = { n = "1" } } },
        { "POST", base .. "/reflect", { body = "2" } },
    })
    check.is_nil(errors)
    check.equal(json.decode(responses[1].body).query, { n = "1" })
    check.equal(json.decode(responses[2].body).body, "2")
    local _, failed = http_client.request_batch({ { "GET", base .. "/reflect" }, { "GET", "http://127.0.0.1:1/" } })
    check.equal(not failed[1], true)
    check.equal(failed[2]:kind(), "Internal")
    check.fails("Invalid", http_client.request_batch({ { "GET", base, { stream = true } } }))
end)

check.case("escapes go both ways", function()
    check.equal(http_client.encode_uri("hello world&"), "hello+world%26")
    check.equal(http_client.decode_uri("hello+world%26"), "hello world&")
    check.fails("Invalid", http_client.decode_uri("%zz"))
end)

check.case("wrong values are errors, and wrong types are raised", function()
    check.fails("Invalid", http_client.get("nonsense"))
    check.fails("Invalid", http_client.get("ftp://example.com"))
    check.fails("Invalid", http_client.get(base, { headers = { ["X-A"] = "b\r\nX-C: d" } }))
    check.fails("Invalid", http_client.get(base, { timeout = "soon" }))
    check.fails("Invalid", http_client.get(base, { tls = { cert = "x" } }))
    check.raises("string expected", http_client.get)
    check.raises("table expected", http_client.get, base, "options")
end)

check.case("a host without network targets reaches nothing", function()
    local function run(id, host, url)
        return process.exec("http_client:" .. id, "http_client:" .. host, url)
    end
    check.match(run("fetch", "no_network", base .. "/reflect"), "^PermissionDenied: .*allow")
    check.match(run("connect", "no_network", "ws://" .. address .. "/"), "^PermissionDenied")
    -- A pattern for many names is none for the machine itself.
    for _, url in ipairs({ base, "http://localhost:" .. port, "http://[::ffff:127.0.0.1]:" .. port, "http://0.0.0.0:" .. port }) do
        check.match(run("fetch", "any_public", url .. "/reflect"), "^PermissionDenied: .*private IP")
    end
    local named = "http://localhost:" .. port
    check.equal(run("fetch", "by_name", named .. "/reflect"), 200)
    check.match(run("fetch", "by_name", base .. "/reflect"), "^PermissionDenied")
    local to = http_client.encode_uri(base .. "/reflect")
    check.match(run("fetch", "by_name", named .. "/redirect?to=" .. to), "^PermissionDenied")
end)

return { main = check.main }
