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
        res:write("quick")
    end
end

local function large()
    require("http").response():write(("x"):rep(2000000))
end

-- A bucket that is empty and takes everything.
local function bucket()
    require("http").response():write("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
end

return { bucket = bucket, quick = quick, waits = waits, large = large, socket = socket }
