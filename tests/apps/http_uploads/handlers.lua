local http = require("http")

local function refused(res, err)
    res:set_status(400)
    return res:write_json({ kind = err:kind(), message = err:message(), details = err:details() })
end

-- Reads a file to its end: how much came, how often, and a sum that depends on each place.
local function digest(stream)
    local bytes, sum = 0, 0
    while true do
        local chunk, err = stream:read(65536)
        assert(not err, tostring(err))
        if not chunk then
            stream:close()
            return { bytes = bytes, sum = sum }
        end
        for at = 1, #chunk, 4096 do
            sum = (sum * 31 + chunk:byte(at) + at + bytes) % 1000000007
        end
        bytes = bytes + #chunk
    end
end

-- Two readings of each file; `memory` is what may stay in memory.
local function measure()
    local req, res = http.request(), http.response()
    local memory = req:query("memory")
    local form, err = req:parse_multipart(memory and math.tointeger(memory) or nil)
    if err then
        return refused(res, err)
    end
    local files = {}
    for _, list in pairs(form.files) do
        for _, file in ipairs(list) do
            local one, two = digest(file:stream()), digest(file:stream())
            files[file:name()] = { size = file:size(), bytes = one.bytes, sum = one.sum, same = one.sum == two.sum }
        end
    end
    res:write_json({ values = form.values, files = files })
end

local function again()
    local req, res = http.request(), http.response()
    local one = req:parse_multipart()
    local two, err = http.request():parse_multipart(1)
    res:write_json({ same = one ~= nil and rawequal(one, two), err = tostring(err), title = two and two.values.title })
end

-- As many streams of one upload as there may be handles: none of them is a copy of it.
local function copies()
    local req, res = http.request(), http.response()
    local form, err = req:parse_multipart()
    if err then
        return refused(res, err)
    end
    local file, streams = form.files.f[1], {}
    for number = 1, 100 do
        streams[number], err = file:stream()
        if err then
            return refused(res, err)
        end
        local piece
        piece, err = streams[number]:read(1)
        if err then
            return refused(res, err)
        end
        assert(piece == "x")
    end
    res:write_json({ streams = #streams, size = file:size() })
end

-- Scanners whose tokens are long: they are charged, so that this ends before the quota is used up many times.
local function tokens()
    local req, res = http.request(), http.response()
    local form, err = req:parse_multipart()
    if err then
        return refused(res, err)
    end
    local scanners = {}
    while #scanners < 500 do
        local scanner
        scanner, err = form.files.f[1]:stream():scanner("lines")
        if err then
            break
        end
        scanners[#scanners + 1] = scanner
        local more
        more, err = scanner:scan()
        if err then
            break
        end
        assert(more and #scanner:text() == 900000)
    end
    assert(err, "nothing was refused")
    res:write_json({ kind = err:kind(), limit = err:details().limit, scanners = #scanners })
end

local function packs()
    local archive = require("archive")
    local res = http.response()
    res:set_header("Content-Type", "application/zip")
    local writer = assert(archive.create(res:stream(), { format = "zip" }))
    assert(writer:add("a.txt", "hello"))
    assert(writer:add("b/c.txt", ("x"):rep(300000)))
    assert(writer:close())
end

local function streams()
    local res = http.response()
    local stream = res:stream()
    assert(stream:write("one ") == 4)
    assert(stream:flush())
    local other = res:stream()
    other:write("two ")
    local function failed(value, err)
        return value == nil and err:kind() or "no error"
    end
    local all = { failed(stream:read()), failed(stream:seek("set", 0)), failed(stream:scanner()) }
    local stat = stream:stat()
    stream:write(("%s %d %s %s %s"):format(table.concat(all, ","), stat.position, stat.writable, stat.readable, stat.seekable))
    assert(stream:close() and stream:close())
    all = { failed(stream:write("x")), failed(stream:flush()), tostring(stream:stat().writable) }
    res:write(" " .. table.concat(all, ","))
end

return { measure = measure, again = again, copies = copies, tokens = tokens, packs = packs, streams = streams }
