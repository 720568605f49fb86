local http = require("http")
local time = require("time")

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

-- Answers without end, and lets the watcher see how it ends itself.
local function floods()
    process.send("watcher", "watch", process.pid())
    process.listen("watched"):receive()
    local res = http.response()
    while true do
        local _, err = res:write(("x"):rep(65536))
        if err then
            return nil, err
        end
        res:flush()
    end
end

local function slow()
    process.send("watcher", "begun")
    time.sleep("300ms")
    http.response():write("done")
end

-- Writes where nothing may be written.
local function nothing()
    local res = http.response()
    res:set_status(http.STATUS.NO_CONTENT)
    res:write("nothing")
end

return { nothing = nothing, hello = hello, count = count, away = away, floods = floods, slow = slow }
