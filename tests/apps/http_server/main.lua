local check = require("check")
local http = require("http")
local http_client = require("http_client")
local json = require("json")

local base = "http://" .. http.address("gateway")

local function get(path, options)
    local resp, err = http_client.get(base .. path, options)
    if not resp then
        error("GET " .. path .. " failed: " .. tostring(err), 2)
    end
    return resp
end

check.case("a function writes text, whose type is guessed", function()
    local resp = get("/api/text")
    check.equal(resp.status_code, 200)
    check.equal(resp.body, "Hello, World!")
    check.equal(resp.headers["Content-Type"], "text/plain; charset=utf-8")
end)

check.case("a body of JSON is read and answered", function()
    local resp = http_client.post(base .. "/api/echo", {
        headers = { ["Content-Type"] = "application/json; charset=utf-8" },
        body = '{"a":[1,2.5,null],"b":{}}',
    })
    check.equal(resp.status_code, 201)
    check.equal(resp.headers["Content-Type"], "application/json")
    check.equal(resp.headers["X-Method"], "POST")
    local seen = json.decode(resp.body)
    check.equal(seen.data.a[1], 1)
    check.equal(seen.data.a[2], 2.5)
    check.equal(seen.type, "application/json; charset=utf-8")
    check.is_true(seen.is_json)
    check.is_true(seen.has_body)
    check.equal(seen.length, 25)
    check.equal(seen.again, '{"a":[1,2.5,null],"b":{}}')
end)

check.case("a broken body of JSON is Invalid", function()
    local resp = http_client.post(base .. "/api/echo", { body = "{" })
    check.equal(resp.status_code, 400)
    check.equal(json.decode(resp.body).kind, "Invalid")
end)

check.case("parameters, query and headers reach the function", function()
    local resp = get("/api/users/a%20b/posts/7?tag=x&tag=y&q=1%2B1", { headers = { ["X-Custom"] = { "yes", "no" } } })
    local seen = json.decode(resp.body)
    check.equal(seen.id, "a b")
    check.equal(seen.params, { id = "a b", post_id = "7" })
    check.is_true(seen.missing)
    check.equal(seen.tag, "x")
    check.is_true(seen.none)
    check.equal(seen.query, { tag = "x,y", q = "1+1" })
    check.equal(seen.path, "/api/users/a b/posts/7")
    check.equal("http://" .. seen.host, base)
    check.match(seen.remote, "^127%.0%.0%.1:%d+$")
    check.equal(seen.header, "yes, no")
    check.is_true(seen.no_header)
    check.is_true(seen.accepts)
    check.equal(seen.has_body, false)
    check.equal(seen.length, 0)
    check.equal(seen.body, "")
end)

check.case("text in a path wins over a parameter, and slashes at the end do not matter", function()
    check.equal(get("/api/users/me/posts/7").body, "Hello, World!")
    check.equal(get("/api").body, "Hello, World!")
    check.equal(get("/api/").body, "Hello, World!")
end)

check.case("a pattern takes the rest of a path", function()
    check.equal(get("/api/files/a/b.txt").body, "/api/files/a/b.txt nil")
end)

check.case("what is not there is 404 in JSON, and a wrong method 405", function()
    local resp = http_client.get(base .. "/api/nothing")
    check.equal(resp.status_code, 404)
    local wrong = http_client.delete(base .. "/api/text")
    check.equal(wrong.status_code, 405)
    check.equal(wrong.headers["Allow"], "GET")
    check.equal(json.decode(wrong.body).error, "Method Not Allowed")
end)

check.case("HEAD goes to who answers GET", function()
    local resp = http_client.head(base .. "/api/text")
    check.equal(resp.status_code, 200)
    check.equal(resp.headers["Content-Length"], "13")
    check.equal(resp.body, "")
end)

check.case("a function that fails is 500 and says nothing more", function()
    for _, path in ipairs({ "/api/fails", "/api/raises" }) do
        local resp = get(path)
        check.equal(resp.status_code, 500)
        check.equal(json.decode(resp.body).error, "Internal Server Error")
        check.equal(string.find(resp.body, "secret"), nil)
        check.equal(string.find(resp.body, "boom"), nil)
    end
end)

check.case("headers after the first write are refused", function()
    check.equal(get("/api/late").body, "xnil Invalid invalid_state")
end)

check.case("flushed parts come as they are, chunked", function()
    local resp = get("/api/chunks")
    check.equal(resp.body, "part 1\npart 2\npart 3\nend")
    check.equal(resp.headers["Content-Length"], nil)
end)

check.case("events are written as events", function()
    local resp = get("/api/events")
    check.equal(resp.headers["Content-Type"], "text/event-stream")
    check.equal(resp.body, 'event: one\ndata: {"n":1}\n\nevent: two\ndata: "text"\n\nevent: three\ndata: "Invalid"\n\n')
end)

check.case("a form with a file is parsed", function()
    local resp = http_client.post(base .. "/api/upload", {
        form = { title = "My Document" },
        files = { { name = "attachment", filename = "report.pdf", content = "%PDF\0data" } },
    })
    check.equal(json.decode(resp.body), {
        title = "My Document",
        name = "report.pdf",
        size = 9,
        type = "application/octet-stream",
        content = "%PDF\0data",
        rest = true,
    })
    local wrong = http_client.post(base .. "/api/upload", { body = "x" })
    check.equal(json.decode(wrong.body), { kind = "Invalid", type = "parse_failed" })
    local fields = http_client.post(base .. "/api/upload", { form = { title = "of one part" } })
    check.equal(json.decode(fields.body), { kind = "Invalid", type = "parse_failed" })
end)

check.case("a body is read as a stream, within its bounds", function()
    local resp = http_client.post(base .. "/api/streamed", { body = string.rep("x", 20) })
    check.equal(json.decode(resp.body), { read = 20, pieces = 3 })
    local large = http_client.post(base .. "/api/streamed", { body = string.rep("x", 21) })
    check.equal(large.status_code, 413)
    check.equal(json.decode(large.body).kind, "Invalid")
end)

check.case("a body above the limit of the server is 413", function()
    local resp = http_client.post(base .. "/api/echo", { body = string.rep("x", 70000) })
    check.equal(resp.status_code, 413)
end)

check.case("files are served with their types, ranges and 304", function()
    local css = get("/css/style.css")
    check.equal(css.body, "body { color: black }\n")
    check.equal(css.headers["Content-Type"], "text/css; charset=utf-8")
    check.equal(css.headers["Cache-Control"], "public, max-age=60")
    check.equal(get("/").body, "<!doctype html><title>index</title>\n")
    local part = get("/css/style.css", { headers = { Range = "bytes=0-3" } })
    check.equal(part.status_code, 206)
    check.equal(part.body, "body")
    check.equal(part.headers["Content-Range"], "bytes 0-3/22")
    local same = get("/css/style.css", { headers = { ["If-None-Match"] = css.headers["ETag"] or css.headers["Etag"] } })
    check.equal(same.status_code, 304)
    check.equal(get("/css/none.css").status_code, 404)
    check.equal(http_client.post(base .. "/css/style.css").status_code, 405)
end)

check.case("no path leaves the directory", function()
    for _, path in ipairs({ "/..%2fmain.lua", "/%2e%2e/main.lua", "/css/..%2f..%2fmain.lua", "/css/%2e%2e/%2e%2e/main.lua" }) do
        local resp = get(path)
        check.equal(resp.status_code, 404, path)
    end
end)

check.case("paths without a file lead to the index of an SPA", function()
    check.equal(get("/spa/users/1").body, "<!doctype html><title>index</title>\n")
    check.equal(get("/spa/css/style.css").body, "body { color: black }\n")
    check.equal(get("/embedded/css/style.css").body, "body { color: black }\n")
end)

check.case("a firewall lets nobody pass without an actor", function()
    local resp = get("/guarded/text", { headers = { ["X-Key"] = "firewall" } })
    check.equal(resp.status_code, 401)
end)

check.case("a client has a bucket of its own, which empties", function()
    local key = { headers = { ["X-Key"] = "limited" } }
    for _ = 1, 3 do
        check.equal(get("/guarded/text", key).status_code, 401)
    end
    local resp = get("/guarded/text", key)
    check.equal(resp.status_code, 429)
    check.equal(resp.headers["X-Ratelimit-Limit"], "1")
    check.equal(resp.headers["X-Ratelimit-Window"], "1h")
    check.equal(get("/guarded/text", { headers = { ["X-Key"] = "other" } }).status_code, 401)
end)

check.case("a browser is told who may use the answers", function()
    local resp = http_client.request("OPTIONS", base .. "/open/text", {
        headers = { Origin = "https://a.example.org", ["Access-Control-Request-Method"] = "GET" },
    })
    check.equal(resp.status_code, 204)
    check.equal(resp.headers["Access-Control-Allow-Origin"], "https://a.example.org")
    check.equal(resp.headers["Access-Control-Allow-Credentials"], "true")
    check.contains(resp.headers["Access-Control-Allow-Methods"], "PATCH")
    local bad = get("/open/text", { headers = { Origin = "https://evil.com" } })
    check.equal(bad.headers["Access-Control-Allow-Origin"], nil)
    check.equal(bad.body, "Hello, World!")
end)

check.case("answers are packed for clients that take it, and unpacked again", function()
    local packed = get("/open/text", { headers = { ["Accept-Encoding"] = "gzip" } })
    check.equal(packed.headers["Content-Encoding"], "gzip")
    check.equal(string.byte(packed.body), 31)
    check.equal(get("/open/text").body, "Hello, World!")
end)

check.case("a proxy may say where a request comes from", function()
    local seen = json.decode(get("/open/show", { headers = { ["X-Forwarded-For"] = "203.0.113.9, 10.0.0.1" } }).body)
    check.equal(seen.remote, "203.0.113.9")
end)

check.case("outside a request there is no request", function()
    local err = check.fails("Internal", http.request())
    check.contains(err:message(), "no HTTP context")
    check.fails("Internal", http.response())
    check.fails("NotFound", http.address("nothing"))
end)

check.case("constants have their values", function()
    check.equal(http.STATUS.INTERNAL_ERROR, 500)
    check.equal(http.STATUS.INTERNAL_SERVER_ERROR, 500)
    check.equal(http.METHOD.PATCH, "PATCH")
    check.equal(http.CONTENT.FORM, "application/x-www-form-urlencoded")
    check.equal(http.TRANSFER.SSE, "sse")
    check.equal(type(http.ERROR.WRITE_FAILED), "string")
end)

return { main = check.main }
