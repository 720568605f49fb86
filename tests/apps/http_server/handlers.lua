local http = require("http")

local function echo()
    local req, res = http.request(), http.response()
    local data, err = req:body_json()
    if err then
        res:set_status(http.STATUS.BAD_REQUEST)
        return res:write_json({ error = err:message(), kind = err:kind() })
    end
    res:set_status(http.STATUS.CREATED):set_header("X-Method", req:method())
    res:write_json({
        data = data,
        type = req:content_type(),
        is_json = req:is_content_type("application/json"),
        has_body = req:has_body(),
        length = req:content_length(),
        again = req:body(),
    })
end

local function show()
    local req, res = http.request(), http.response()
    res:write_json({
        id = req:param("id"),
        params = req:params(),
        missing = req:param("missing") == nil,
        tag = req:query("tag"),
        none = req:query("none") == nil,
        query = req:query_params(),
        path = req:path(),
        host = req:host(),
        remote = req:remote_addr(),
        header = req:header("x-custom"),
        no_header = req:header("X-None") == nil,
        accepts = req:accepts("application/json"),
        has_body = req:has_body(),
        length = req:content_length(),
        body = req:body(),
    })
end

local function text()
    local res = http.response()
    res:write("Hello, ")
    res:write("World!")
end

local function fails()
    http.response():write("secret")
    return nil, "it went wrong"
end

local function raises()
    error("boom")
end

local function late()
    local res = http.response()
    res:write("x")
    local ok, err = res:set_status(404)
    res:write(tostring(ok) .. " " .. err:kind() .. " " .. err:details().type)
end

local function chunks()
    local res = http.response()
    res:set_transfer(http.TRANSFER.CHUNKED)
    for i = 1, 3 do
        res:write("part " .. i .. "\n")
        res:flush()
    end
    res:write("end")
end

local function events()
    local res = http.response()
    res:write_event({ name = "one", data = { n = 1 } })
    res:write_event({ name = "two", data = "text" })
    local ok, err = res:write_event({ name = "bad\nname", data = 1 })
    res:write_event({ name = "three", data = err:kind() })
end

local function upload()
    local req, res = http.request(), http.response()
    local form, err = req:parse_multipart()
    if err then
        res:set_status(400)
        return res:write_json({ kind = err:kind(), type = err:details().type })
    end
    local file = form.files.attachment[1]
    local stream = file:stream()
    local content = stream:read(0)
    local rest = stream:read()
    stream:close()
    res:write_json({
        title = form.values.title,
        name = file:name(),
        size = file:size(),
        type = file:header("Content-Type"),
        content = content,
        rest = rest == nil,
    })
end

local function streamed()
    local req, res = http.request({ timeout = 5000, max_body = 20 }), http.response()
    local stream = req:stream()
    local read, pieces = 0, 0
    while true do
        local chunk, err = stream:read(7)
        if err then
            res:set_status(413)
            return res:write_json({ kind = err:kind(), message = err:message() })
        end
        if not chunk then
            break
        end
        read, pieces = read + #chunk, pieces + 1
    end
    stream:close()
    res:write_json({ read = read, pieces = pieces })
end

local function tail()
    local req = http.request()
    http.response():write(req:path() .. " " .. tostring(req:param("path")))
end

return {
    echo = echo, show = show, text = text, fails = fails, raises = raises, late = late, chunks = chunks,
    events = events, upload = upload, streamed = streamed, tail = tail,
}
