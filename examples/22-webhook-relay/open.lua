local http = require("http")
local json = require("json")

-- Starts the process that talks to the client, and leaves the connection to it.
local function open()
    local req, res = http.request(), http.response()
    local pid, err = process.spawn("app:session", "app:processes", req:param("channel"))
    if err then
        return nil, err
    end
    res:set_header("X-WS-Relay", json.encode({ target_pid = pid }))
end

return { open = open }
