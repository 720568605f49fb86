local archive = require("archive")
local check = require("check")
local exec = require("exec")
local fs = require("fs")
local http = require("http")
local http_client = require("http_client")
local json = require("json")

local base = "http://" .. http.address("gateway")

-- Content of which no piece is like another.
local function content(size)
    local parts, seed = {}, 7
    for number = 1, math.ceil(size / 1024) do
        seed = (seed * 1103515245 + 12345) % 2147483648
        parts[number] = ("%016x"):format(seed):rep(64)
    end
    return table.concat(parts):sub(1, size)
end

local function post(path, files, form)
    local resp, err = http_client.post(base .. path, { files = files, form = form })
    check.is_nil(err)
    return json.decode(resp.body), resp.status_code
end

check.case("files beyond max_memory wait on the disk, and read the same", function()
    local large, small = content(700000), content(3000)
    local files = {
        { name = "f", filename = "large", content = large },
        { name = "f", filename = "small", content = small },
        { name = "g", filename = "empty", content = "" },
    }
    local want = post("/measure", files, { title = "Title" })
    check.equal(want.values, { title = "Title" })
    check.equal({ want.files.large.size, want.files.large.bytes, want.files.large.same }, { 700000, 700000, true })
    check.equal({ want.files.small.size, want.files.small.bytes }, { 3000, 3000 })
    check.equal({ want.files.empty.size, want.files.empty.bytes }, { 0, 0 })
    for _, memory in ipairs({ 1, 4096, 100000, 699999, 700000 }) do
        check.equal(post("/measure?memory=" .. memory, files, { title = "Title" }), want, "memory " .. memory)
    end
end)

check.case("a form may be as large as a body", function()
    local volume = fs.get("volume")
    check.is_true(volume:writefile("part.txt", content(900000)))
    local function parts(count)
        local files = {}
        for number = 1, count do
            files[number] = { name = "f", filename = "n" .. number, reader = volume:open("part.txt", "r") }
        end
        return files
    end
    local got = post("/measure?memory=1000000", parts(8))
    for number = 1, 8 do
        check.equal({ got.files["n" .. number].bytes, got.files["n" .. number].same }, { 900000, true })
    end
    -- The server may hang up while the client still sends.
    local resp = http_client.post(base .. "/measure", { files = parts(10) })
    check.is_true(not resp or resp.status_code == 413)
end)

check.case("a form is parsed once for a request", function()
    local got = post("/again", { { name = "f", content = "x" } }, { title = "Title" })
    check.equal(got, { same = true, err = "nil", title = "Title" })
end)

check.case("a part whose headers have no end is refused", function()
    local head = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n"
    local resp = http_client.post(base .. "/measure", {
        headers = { ["Content-Type"] = "multipart/form-data; boundary=b" },
        body = head .. ("X-Long: " .. ("y"):rep(1000) .. "\r\n"):rep(600),
    })
    check.equal(resp.status_code, 400)
    check.equal(json.decode(resp.body).kind, "Invalid")
end)

check.case("streams of an upload are no copies of it", function()
    local got = post("/copies", { { name = "f", content = ("x"):rep(950000) } })
    check.equal(got, { streams = 100, size = 950000 })
end)

check.case("the tokens of scanners are charged", function()
    local got = post("/tokens", { { name = "f", content = ("x"):rep(900000) .. "\n" } })
    check.equal({ got.kind, got.limit }, { "LimitExceeded", "quota.memory" })
    check.is_true(got.scanners < 40, "scanners " .. tostring(got.scanners))
end)

check.case("an archive goes out as an answer", function()
    local volume = fs.get("volume")
    local resp = http_client.get(base .. "/packs")
    check.equal(resp.headers["Content-Type"], "application/zip")
    check.is_true(volume:writefile("got.zip", resp.body))
    local reader = archive.open(volume, "got.zip")
    check.equal(reader:read("a.txt"), "hello")
    check.equal(#reader:read("b/c.txt"), 300000)
    reader:close()
end)

check.case("the body of an answer is a stream that is written to", function()
    local resp = http_client.get(base .. "/streams")
    check.equal(resp.body, "one two Internal,Internal,Internal 4 true false false Internal,Internal,false")
end)

check.case("files of a form come from files, commands and readers of Lua", function()
    local volume = fs.get("volume")
    local text = content(200000)
    check.is_true(volume:writefile("in.txt", text))
    local command = exec.get("shell"):exec("echo hello")
    local stdout = command:stdout_stream()
    check.is_true((command:start()))
    local pieces = { "one ", "two ", "three" }
    local reader = {
        read = function()
            return table.remove(pieces, 1)
        end,
    }
    local file = volume:open("in.txt", "r")
    local files = {
        { name = "f", filename = "file", reader = file },
        { name = "f", filename = "stdout", reader = stdout },
        { name = "f", filename = "lua", reader = reader },
        { name = "f", filename = "plain", content = "plain" },
    }
    local got = post("/measure", files)
    check.equal(files[2].reader, stdout)
    check.equal(got.files.file.bytes, 200000)
    check.equal(got.files.stdout.bytes, 6)
    check.equal(got.files.lua.bytes, 13)
    check.equal(got.files.plain.bytes, 5)
    local direct = post("/measure", { { name = "f", filename = "file", content = text } })
    check.equal(got.files.file, direct.files.file)
    local err = check.fails("Invalid", http_client.post(base .. "/measure", { files = { { name = "f", reader = {} } } }))
    check.contains(err:message(), "no file or stream")
    local broken = { read = function() return nil, errors.new({ message = "broken", kind = errors.INTERNAL }) end }
    check.fails("Internal", http_client.post(base .. "/measure", { files = { { name = "f", reader = broken } } }))
    check.fails("Internal", http_client.request("POST", base .. "/measure", { files = { { name = "f", reader = broken } } }))
end)

return { main = check.main }
