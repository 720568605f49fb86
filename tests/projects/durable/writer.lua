local store = require("store")
local io = require("io")
local numbers = require("numbers")

-- Long enough that half of it would be seen.
local TEXT = ("text"):rep(500)

local function write(from)
    local kept = assert(store.get("app:kept"))
    numbers.feed(from, function(n)
        return kept:set(tostring(n), { n = n, text = TEXT })
    end)
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
