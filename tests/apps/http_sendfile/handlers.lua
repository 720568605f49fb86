local http = require("http")

-- Names a file, and whatever else was asked for.
local function send()
    local req, res = http.request(), http.response()
    if req:query("file") then
        res:set_header("X-Sendfile", req:query("file"))
    end
    if req:query("name") then
        res:set_header("X-File-Name", req:query("name"))
    end
    if req:query("type") then
        res:set_content_type(req:query("type"))
    end
    res:set_header("X-Extra", "kept")
    res:write("what the function wrote")
end

return { send = send }
