local http = require("http")
local time = require("time")

local function hello()
    http.response():write("hello")
end

-- Lets the watcher see how this call ends.
local function show()
    process.send("watcher", "watch", process.pid())
    process.listen("watched"):receive()
end

local function waits()
    show()
    print("the function waits")
    time.sleep("10m")
end

local function floods()
    show()
    local res = http.response()
    local piece = string.rep("x", 65536)
    res:write(piece)
    res:flush()
    print("the function floods")
    while true do
        local _, err = res:write(piece)
        if err then
            return nil, err
        end
        res:flush()
    end
end

local function slow()
    print("the slow function begins")
    time.sleep("300ms")
    http.response():write("done")
end

local function breaks()
    local res = http.response()
    res:write("part")
    res:flush()
    error("boom")
end

local function reads()
    local _, err = http.request():body()
    http.response():write(tostring(err))
end

local function relays()
    local target = process.registry.lookup("watcher")
    http.response():set_header("X-WS-Relay", require("json").encode({ target_pid = target }))
end

return { hello = hello, waits = waits, floods = floods, slow = slow, breaks = breaks, reads = reads, relays = relays }
