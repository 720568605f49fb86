local function quick()
    return "done"
end

local function waits()
    require("time").sleep("1h")
end

-- Relays a WebSocket to whoever asked, or answers.
local function socket()
    local http, json = require("http"), require("json")
    local req, res = http.request(), http.response()
    if req:query("pid") then
        res:set_header("X-WS-Relay", json.encode({ target_pid = req:query("pid") }))
    else
        res:write(("quick "):rep(20000))
    end
end

return { quick = quick, waits = waits, socket = socket }
