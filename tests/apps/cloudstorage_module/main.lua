local check = require("check")
local streams = require("streams")
local cloudstorage = require("cloudstorage")
local env = require("env")
local fs = require("fs")
local funcs = require("funcs")
local http = require("http")
local http_client = require("http_client")
local security = require("security")
local store = require("store")

local sink = streams.sink

assert(env.set("CLOUDSTORAGE_TEST_ENDPOINT", "http://" .. http.address("gateway")))
local storage = assert(cloudstorage.get("cloudstorage_module:bucket"))
local out = assert(fs.get("cloudstorage_module:out"))

local function download(key, options)
    local to = sink()
    local ok, err = storage:download_object(key, to, options)
    return ok and to.all(), err
end

local function names(result)
    local list = {}
    for _, object in ipairs(result.objects) do
        table.insert(list, object.key)
    end
    return list
end

local function clean()
    local objects = assert(store.get("cloudstorage_module:objects"))
    for _, item in ipairs(objects:list({ limit = 1000 }).items) do
        objects:delete(item.key)
    end
end

check.case("strings go there and come back", function()
    for _, body in ipairs({ "text", "", "\0\xff\r\n", ("x"):rep(300000) }) do
        check.is_true(storage:upload_object("a/b.txt", body))
        check.equal(download("a/b.txt"), body)
    end
end)

check.case("keys of all kinds are signed and escaped", function()
    for _, key in ipairs({ "a b", "ä/日本", "a+b&c=d?e#f", "100%", "%2e%2e/x", "a//b", "'(x)*!~", "tab|^`{}[]<>\"@:;,$" }) do
        check.is_true(storage:upload_object(key, key))
        check.equal(download(key), key)
    end
end)

check.case("keys that would lead elsewhere are refused", function()
    for _, key in ipairs({ "", "..", "../other/x", "a/../b", "a/./b", "a/..", "..\\x", "a\nb", ("k"):rep(1025) }) do
        check.fails("Invalid", storage:upload_object(key, "x"))
        check.fails("Invalid", storage:head_object(key))
        check.fails("Invalid", storage:download_object(key, sink()))
        check.fails("Invalid", storage:delete_objects({ key }))
        check.fails("Invalid", storage:presigned_get_url(key))
        check.fails("Invalid", storage:presigned_put_url(key))
    end
end)

check.case("files and streams are sent, and objects are written to files", function()
    local body = ("line of a file\n"):rep(20000)
    check.is_true(out:writefile("up.txt", body))
    local file = assert(out:open("up.txt", "r"))
    check.is_true(storage:upload_object("file", file))
    file:close()
    local at = 0
    check.is_true(storage:upload_object("stream", {
        read = function()
            at = at + 1
            return at <= 10 and ("piece %d;"):format(at) or nil
        end,
    }))
    check.contains(download("stream"), "piece 10;")
    file = assert(out:open("down.txt", "w"))
    check.is_true(storage:download_object("file", file))
    file:close()
    check.equal(out:readfile("down.txt"), body)
end)

check.case("what fails while it is read or written is said", function()
    local broken = function()
        return nil, errors.new({ message = "broken", kind = errors.INVALID })
    end
    check.fails("Invalid", storage:upload_object("x", { read = broken }))
    check.fails("Invalid", storage:download_object("file", { write = broken }))
    check.fails("Invalid", storage:download_object("file", 7))
    check.fails("Invalid", storage:download_object("file", nil))
    check.fails("Invalid", storage:upload_object("x", nil))
    check.fails("Invalid", storage:upload_object("x", {}))
    check.fails("Invalid", storage:upload_object("x", 7))
end)

check.case("metadata is kept", function()
    check.is_true(storage:upload_object("meta", "text", {
        content_type = "text/plain", cache_control = "max-age=60", content_disposition = "inline", content_encoding = "identity",
        metadata = { owner = "team a", Run_Id = "1234" }, headers = { ["X-Amz-Storage-Class"] = "COLD" },
    }))
    local meta = assert(storage:head_object("meta"))
    check.equal(meta.size, 4)
    check.equal(meta.content_type, "text/plain")
    check.equal(meta.cache_control, "max-age=60")
    check.equal(meta.content_disposition, "inline")
    check.equal(meta.content_encoding, "identity")
    check.equal(meta.storage_class, "COLD")
    check.equal(meta.metadata, { owner = "team a", run_id = "1234" })
    check.equal(meta.last_modified, 1704164645)
    check.equal(meta.headers["x-amz-meta-owner"], "team a")
    check.is_true(#meta.etag > 0)
    check.fails("NotFound", storage:head_object("not there"))
    check.fails("NotFound", storage:download_object("not there", sink()))
end)

check.case("headers that change what a request does are refused", function()
    for _, name in ipairs({ "X-Amz-Copy-Source", "x-amz-copy-source-range", "Host", "Content-Length", "Authorization", "x-amz-date", "a b", "" }) do
        check.fails("Invalid", storage:upload_object("x", "x", { headers = { [name] = "/other/secret" } }))
    end
    check.fails("Invalid", storage:upload_object("x", "x", { content_type = "a\r\nx: y" }))
    check.fails("Invalid", storage:upload_object("x", "x", { metadata = { a = 1 } }))
    check.fails("Invalid", storage:upload_object("x", "x", { metadata = { a = ("v"):rep(9000) } }))
    check.fails("Invalid", storage:upload_object("x", "x", { only_if_absent = "yes" }))
end)

check.case("conditions hold", function()
    check.is_true(storage:upload_object("c", "1"))
    local tag = assert(storage:head_object("c")).etag
    local _, err = storage:upload_object("c", "2", { only_if_absent = true })
    check.fails("Conflict", nil, err)
    check.contains(err:message(), "precondition_failed")
    check.fails("Conflict", storage:upload_object("c", "2", { if_none_match = "*" }))
    check.fails("Conflict", storage:upload_object("c", "2", { if_match = '"other"' }))
    check.is_true(storage:upload_object("c", "2", { if_match = tag }))
    check.fails("Conflict", storage:download_object("c", sink(), { if_match = tag }))
    check.fails("Conflict", storage:download_object("c", sink(), { if_none_match = assert(storage:head_object("c")).etag }))
    check.equal(download("c", { if_none_match = tag }), "2")
end)

check.case("a part of an object is read", function()
    check.is_true(storage:upload_object("r", "0123456789"))
    check.equal(download("r", { range = "bytes=2-4" }), "234")
    check.fails("Invalid", storage:download_object("r", sink(), { range = "bytes=100-200" }))
end)

check.case("objects are listed page by page", function()
    clean()
    for number = 1, 5 do
        assert(storage:upload_object("list/<" .. number .. ">&", ("x"):rep(number)))
    end
    assert(storage:upload_object("other", "x"))
    local result = assert(storage:list_objects())
    check.equal(#result.objects, 6)
    check.equal(result.is_truncated, false)
    check.is_nil(result.next_continuation_token)
    result = assert(storage:list_objects({ prefix = "list/", max_keys = 2, include_owner = true }))
    check.equal(names(result), { "list/<1>&", "list/<2>&" })
    local object = result.objects[2]
    check.equal({ object.size, object.storage_class, object.content_type, object.last_modified }, { 2, "COLD", "", 1704164645 })
    check.equal(object.owner, { id = "7", display_name = "me" })
    check.is_true(#object.etag > 0)
    local seen, token, pages = {}, nil, 0
    repeat
        result = assert(storage:list_objects({ prefix = "list/", max_keys = 2, continuation_token = token }))
        for _, name in ipairs(names(result)) do
            table.insert(seen, name)
        end
        token, pages = result.next_continuation_token, pages + 1
    until not result.is_truncated
    check.equal(#seen, 5)
    check.equal(pages, 3)
    check.is_nil(result.objects[1].owner)
end)

check.case("versions are listed page by page", function()
    local first = assert(storage:list_objects({ prefix = "list/", max_keys = 3, include_versions = true }))
    check.equal(#first.objects, 3)
    check.equal(first.objects[1].version_id, "v1")
    local rest = assert(storage:list_objects({
        prefix = "list/", max_keys = 3, include_versions = true, continuation_token = first.next_continuation_token,
    }))
    check.equal(names(rest), { "list/<4>&", "list/<5>&" })
    check.equal(rest.is_truncated, false)
end)

check.case("a list that is none is an error", function()
    check.fails("Internal", storage:list_objects({ prefix = "html" }))
    check.fails("Internal", storage:list_objects({ prefix = "bomb" }))
    check.fails("LimitExceeded", storage:list_objects({ prefix = "endless" }))
    check.fails("Invalid", storage:list_objects({ max_keys = 0 }))
    check.fails("Invalid", storage:list_objects({ prefix = 7 }))
end)

check.case("objects are deleted, also those that are not there", function()
    check.is_true(storage:delete_objects({ "list/<1>&", "list/<2>&", "never was" }))
    check.equal(#assert(storage:list_objects({ prefix = "list/" })).objects, 3)
    check.is_true(storage:delete_objects({}))
    check.fails("Invalid", storage:delete_objects({ 1 }))
    local many = {}
    for number = 1, 1001 do
        many[number] = "k" .. number
    end
    check.fails("LimitExceeded", storage:delete_objects(many))
end)

check.case("signed addresses let others in", function()
    local url = assert(storage:presigned_put_url("shared file", { expiration = 60, content_type = "text/plain", content_length = 5 }))
    local resp = assert(http_client.put(url, { body = "hello", headers = { ["Content-Type"] = "text/plain" } }))
    check.equal(resp.status_code, 200)
    check.equal(assert(http_client.put(url, { body = "hello", headers = { ["Content-Type"] = "text/html" } })).status_code, 403)
    check.equal(assert(http_client.put(url, { body = "hello!", headers = { ["Content-Type"] = "text/plain" } })).status_code, 403)
    url = assert(storage:presigned_get_url("shared file"))
    check.contains(url, "X-Amz-Expires=3600")
    check.equal(assert(http_client.get(url)).body, "hello")
    check.equal(assert(http_client.get((url:gsub("shared", "other")))).status_code, 403)
    check.equal(assert(http_client.delete(url)).status_code, 403)
    for _, expiration in ipairs({ 0, -1, 604801, 1.5, "1h" }) do
        check.fails("Invalid", storage:presigned_get_url("x", { expiration = expiration }))
    end
    check.fails("Invalid", storage:presigned_put_url("x", { content_length = -1 }))
end)

check.case("what the server refuses is said", function()
    local stranger = assert(cloudstorage.get("cloudstorage_module:wrong_keys"))
    local _, err = stranger:upload_object("x", "x")
    check.fails("PermissionDenied", nil, err)
    check.contains(err:message(), "SignatureDoesNotMatch (said the server)")
    check.fails("PermissionDenied", stranger:head_object("x"))
    _, err = storage:upload_object("broken", "x")
    check.fails("Internal", nil, err)
    check.is_true(err:retryable())
    _, err = assert(cloudstorage.get("cloudstorage_module:nowhere")):head_object("x")
    check.fails("Internal", nil, err)
    check.is_true(err:retryable())
end)

check.case("without an endpoint it is AWS", function()
    local url = assert(assert(cloudstorage.get("on_aws")):presigned_get_url("a/b"))
    check.match(url, "^https://my%-bucket%.s3%.eu%-test%-1%.amazonaws%.com/a/b%?X%-Amz")
    url = assert(assert(cloudstorage.get("dotted_on_aws")):presigned_get_url("a/b"))
    check.match(url, "^https://s3%.eu%-test%-1%.amazonaws%.com/my%.bucket/a/b%?")
end)

check.case("only buckets are opened", function()
    check.fails("Invalid", cloudstorage.get(""))
    check.fails("NotFound", cloudstorage.get("cloudstorage_module:none"))
    check.fails("Invalid", cloudstorage.get("cloudstorage_module:out"))
    check.fails("Invalid", cloudstorage.get("cloudstorage_module:access"))
    check.fails("Invalid", cloudstorage.get("cloudstorage_module:without_keys"))
end)

check.case("policies decide who gets a bucket", function()
    local caller = funcs.new():with_actor(security.new_actor("guest", {})):with_scope(assert(security.new_scope({ assert(security.policy("cloudstorage_module:calls")) })))
    check.equal(caller:call("cloudstorage_module:guarded"), { got = false, kind = "PermissionDenied" })
end)

check.case("a released storage does nothing more", function()
    check.is_true(storage:release())
    check.is_true(storage:release())
    check.fails("Invalid", storage:upload_object("a", "x"))
    check.fails("Invalid", storage:download_object("a", sink()))
    check.fails("Invalid", storage:list_objects())
    check.fails("Invalid", storage:presigned_get_url("a"))
end)

return { main = check.main }
