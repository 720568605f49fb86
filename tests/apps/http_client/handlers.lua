local http = require("http")
local time = require("time")

local function reflect()
    local req, res = http.request(), http.response()
    res:set_header("Set-Cookie", "session=abc; Path=/; HttpOnly")
    res:write_json({
        method = req:method(),
        query = req:query_params(),
        type = req:content_type(),
        body = req:body(),
        auth = req:header("Authorization"),
        cookie = req:header("Cookie"),
        custom = req:header("X-Custom"),
        agent = req:header("User-Agent") ~= nil,
    })
end

local function redirect()
    local req, res = http.request(), http.response()
    res:set_status(tonumber(req:query("status") or "302"))
    res:set_header("Location", req:query("to") or "/redirect")
end

local function sleep()
    time.sleep("10m")
end

local function large()
    http.response():write(string.rep("x", 500000))
end

return { reflect = reflect, redirect = redirect, sleep = sleep, large = large }
