-- As much of S3 as the module uses. The signature of each request is computed from the description of AWS, not by the code under test.
local hash = require("hash")
local http = require("http")
local store = require("store")
local time = require("time")

local KEY, SECRET, REGION = "AKIDTEST", "secret/with+signs", "eu-test-1"

local function escape(text, keep)
    return (text:gsub("[^%w%-%._~" .. keep .. "]", function(byte)
        return ("%%%02X"):format(byte:byte())
    end))
end

-- Says what is wrong with a signature, if anything.
local function problem(req)
    local query = req:query_params()
    local date, scope = query["X-Amz-Date"] or "", (query["X-Amz-Date"] or ""):sub(1, 8) .. "/" .. REGION .. "/s3/aws4_request"
    if query["X-Amz-Algorithm"] ~= "AWS4-HMAC-SHA256" or query["X-Amz-Credential"] ~= KEY .. "/" .. scope then
        return "InvalidAccessKeyId"
    end
    local signed = time.parse("20060102T150405Z", date)
    local age = signed and time.now():unix() - signed:unix()
    if not age or age < -60 or age > tonumber(query["X-Amz-Expires"]) then
        return "ExpiredToken"
    end
    local fields = {}
    for name, value in pairs(query) do
        if name ~= "X-Amz-Signature" then
            table.insert(fields, escape(name, "") .. "=" .. escape(value, ""))
        end
    end
    table.sort(fields)
    local headers, names = {}, {}
    for name in query["X-Amz-SignedHeaders"]:gmatch("[^;]+") do
        local value = name == "host" and req:host() or req:header(name) or ""
        table.insert(headers, name .. ":" .. value:gsub("^%s+", ""):gsub("%s+$", ""):gsub("%s+", " ") .. "\n")
        names[name] = true
    end
    for name in pairs(req:headers()) do
        if name:lower():find("^x%-amz%-") and not names[name:lower()] then
            return "UnsignedHeader"
        end
    end
    local method = req:method()
    local canonical = table.concat({
        method, escape(req:path(), "/"), table.concat(fields, "&"), table.concat(headers), query["X-Amz-SignedHeaders"], "UNSIGNED-PAYLOAD",
    }, "\n")
    local text = table.concat({ "AWS4-HMAC-SHA256", date, scope, hash.sha256(canonical) }, "\n")
    local key = "AWS4" .. SECRET
    for _, part in ipairs({ date:sub(1, 8), REGION, "s3", "aws4_request" }) do
        key = hash.hmac_sha256(part, key, true)
    end
    if hash.hmac_sha256(text, key) ~= query["X-Amz-Signature"] then
        return "SignatureDoesNotMatch"
    end
end

local function refuse(res, status, code)
    res:set_status(status)
    res:set_content_type("application/xml")
    res:write("<?xml version=\"1.0\"?><Error><Code>" .. code .. "</Code><Message>said the server</Message></Error>")
end

local function xml(text)
    return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local KEPT = { "Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding" }

local function put(objects, key, req, res)
    local old = objects:get(key)
    local tag, none = req:header("If-Match"), req:header("If-None-Match")
    if none == "*" and old or tag and (not old or old.etag ~= tag) then
        return refuse(res, 412, "PreconditionFailed")
    end
    local object = { body = req:body() or "", headers = {}, meta = {} }
    object.etag = '"' .. hash.md5(object.body) .. '"'
    for _, name in ipairs(KEPT) do
        object.headers[name] = req:header(name)
    end
    for name, value in pairs(req:headers()) do
        if name:lower():find("^x%-amz%-") then
            object.meta[name] = value
        end
    end
    objects:set(key, object)
    res:set_header("ETag", object.etag)
end

local function get(objects, key, req, res)
    local object = objects:get(key)
    if not object then
        return refuse(res, 404, "NoSuchKey")
    elseif req:header("If-None-Match") == object.etag then
        return res:set_status(304)
    elseif req:header("If-Match") and req:header("If-Match") ~= object.etag then
        return refuse(res, 412, "PreconditionFailed")
    end
    local body = object.body
    local first, last = (req:header("Range") or ""):match("^bytes=(%d+)%-(%d+)$")
    if first then
        if tonumber(first) >= #body then
            return refuse(res, 416, "InvalidRange")
        end
        body = body:sub(first + 1, last + 1)
        res:set_status(206)
    end
    for _, headers in ipairs({ object.headers, object.meta }) do
        for name, value in pairs(headers) do
            res:set_header(name, value)
        end
    end
    res:set_header("ETag", object.etag)
    res:set_header("Last-Modified", "Tue, 02 Jan 2024 03:04:05 GMT")
    res:write(body)
end

local function list(objects, req, res)
    local prefix, max = req:query("prefix") or "", tonumber(req:query("max-keys"))
    local versions = req:query("versions") ~= nil
    if prefix == "html" then
        return res:write("<html><body>not S3</body></html>")
    elseif prefix == "bomb" then
        return res:write('<!DOCTYPE l [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>')
    elseif prefix == "endless" then
        res:write("<ListBucketResult>")
        for _ = 1, 10 do
            res:write(("<a/>"):rep(1 << 18))
            res:flush()
        end
        return
    end
    local after = req:query("continuation-token") or req:query("key-marker") or ""
    local keys = {}
    for _, item in ipairs(objects:list({ limit = 1000 }).items) do
        if item.key:sub(1, #prefix) == prefix and item.key > after then
            table.insert(keys, item.key)
        end
    end
    table.sort(keys)
    local parts, last = {}, nil
    for index = 1, math.min(max, #keys) do
        last = keys[index]
        local object = objects:get(last)
        local owner = (versions or req:query("fetch-owner") == "true") and "<Owner><ID>7</ID><DisplayName>me</DisplayName></Owner>" or ""
        local element = versions and "Version" or "Contents"
        table.insert(parts, ("<%s><Key>%s</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>%s</ETag><Size>%d</Size>%s%s</%s>"):format(
            element, xml(last), xml(object.etag), #object.body, owner, versions and "<VersionId>v1</VersionId>" or "<StorageClass>COLD</StorageClass>", element
        ))
    end
    local more = #keys > max
    local root = versions and "ListVersionsResult" or "ListBucketResult"
    local mark = not more and "" or versions and "<NextKeyMarker>" .. xml(last) .. "</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>"
        or "<NextContinuationToken>" .. xml(last) .. "</NextContinuationToken>"
    res:set_content_type("application/xml")
    res:write(('<?xml version="1.0"?>\n<%s xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>%s</IsTruncated>%s%s</%s>'):format(
        root, tostring(more), mark, table.concat(parts), root
    ))
end

local function handle()
    local req, res = http.request(), http.response()
    local wrong = problem(req)
    if wrong then
        return refuse(res, 403, wrong)
    end
    local key = req:path():sub(#"/pail/" + 1)
    local objects = assert(store.get("cloudstorage_module:objects"))
    if key == "broken" then
        return refuse(res, 503, "SlowDown")
    elseif key == "" then
        return list(objects, req, res)
    elseif req:method() == "PUT" then
        return put(objects, key, req, res)
    elseif req:method() == "DELETE" then
        objects:delete(key)
        return res:set_status(204)
    end
    get(objects, key, req, res)
end

return { handle = handle }
