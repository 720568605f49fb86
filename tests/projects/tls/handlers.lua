local http = require("http")

local function hello()
    local req = http.request()
    http.response():write("hello " .. req:host():gsub(":%d+$", ""))
end

-- Says how long the body is that was sent.
local function count()
    http.response():write("got " .. #http.request():body())
end

-- Leads to `hello`.
local function away()
    local res = http.response()
    res:set_status(http.STATUS.FOUND)
    res:set_header("Location", "/hello")
end

return { hello = hello, count = count, away = away }
