local check = require("check")
local http = require("http")
local http_client = require("http_client")

local function get(query, headers, path)
    local url = "http://" .. http.address("http_sendfile:gateway") .. (path or "/send")
    return assert(http_client.get(url, { query = query, headers = headers }))
end

check.case("a function names a file, and the server sends it", function()
    local answer = get({ file = "hello.txt" })
    check.equal({ answer.status_code, answer.body }, { 200, "hello from a file\n" })
    check.contains(answer.headers["Content-Type"], "text/plain")
    check.equal(answer.headers["Content-Length"], "18")
    check.equal(answer.headers["X-Extra"], "kept")
    check.equal({ answer.headers["X-Sendfile"], answer.headers["X-File-Name"], answer.headers["Content-Disposition"] }, {})
    check.equal(get({ file = "/sub/picture.svg" }).body, "<svg/>")
    check.equal(get({ file = "größe.txt" }).body, "umlaut")
    check.equal(get({ file = "hello.txt", type = "text/csv" }).headers["Content-Type"], "text/csv")
end)

check.case("it has a name for whoever keeps it", function()
    local function disposition(name)
        return get({ file = "hello.txt", name = name }).headers["Content-Disposition"]
    end
    check.equal(disposition("report 1.txt"), 'attachment; filename="report 1.txt"')
    check.equal(disposition('a"b\\c.txt'), 'attachment; filename="a_b_c.txt"')
    check.equal(disposition("Übersicht.txt"), "attachment; filename=\"_bersicht.txt\"; filename*=UTF-8''%C3%9Cbersicht.txt")
end)

check.case("a part of it, and what has not changed", function()
    local part = get({ file = "hello.txt" }, { Range = "bytes=6-9" })
    check.equal({ part.status_code, part.body, part.headers["Content-Range"] }, { 206, "from", "bytes 6-9/18" })
    check.equal(get({ file = "hello.txt" }, { Range = "bytes=-5" }).body, "file\n")
    check.equal(get({ file = "hello.txt" }, { Range = "bytes=99-" }).status_code, 416)
    local tag = part.headers["Etag"] or part.headers["ETag"]
    local same = get({ file = "hello.txt" }, { ["If-None-Match"] = tag })
    check.equal({ same.status_code, same.body }, { 304, "" })
end)

check.case("what is not in the volume is not found, and tells nothing", function()
    for _, file in ipairs({ "none.txt", "sub", "", "../main.lua", "/../main.lua", "sub/../../main.lua", "/etc/passwd" }) do
        local answer = get({ file = file })
        check.equal(answer.status_code, 404, file)
        check.is_nil(answer.headers["X-Sendfile"])
        check.is_nil(answer.body:find("wrote", 1, true))
    end
end)

check.case("without a file the answer is that of the function", function()
    check.equal(get({}).body, "what the function wrote")
    check.equal(get({ file = "hello.txt" }, nil, "/plain/send").body, "what the function wrote")
end)

return { main = check.main }
