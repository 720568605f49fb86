local store = require("store")
local io = require("io")

-- Long enough that half of it would be seen.
local TEXT = ("text"):rep(500)

-- Writes numbers without end, several at a time, and says which were taken in.
local function write(from)
    local kept = assert(store.get("app:kept"))
    local next = math.tointeger(from)
    for _ = 1, 8 do
        coroutine.spawn(function()
            while true do
                local n = next
                next = next + 1
                local ok, err = kept:set(tostring(n), { n = n, text = TEXT })
                if not ok then
                    error(err)
                end
                io.print("ack " .. n .. ";")
            end
        end)
    end
    channel.new():receive()
end

-- Says which of these numbers are there, whole.
local function read(...)
    local kept = assert(store.get("app:kept"))
    for _, n in ipairs({ ... }) do
        local value = kept:get(n)
        if value and value.n == math.tointeger(n) and value.text == TEXT then
            io.print("got " .. n .. ";")
        end
    end
    return 0
end

return { write = write, read = read }
