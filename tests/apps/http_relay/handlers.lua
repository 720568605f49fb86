local http = require("http")
local json = require("json")

local function socket()
    local req, res = http.request(), http.response()
    res:set_header("X-WS-Relay", json.encode({
        target_pid = req:query("pid"),
        message_topic = req:query("topic"),
        metadata = { user = "ann" },
    }))
end

local function stream()
    local req, res = http.request(), http.response()
    res:set_header("X-SSE-Relay", json.encode({ target_pid = req:query("pid"), metadata = { user = "bob" } }))
end

return { socket = socket, stream = stream }
