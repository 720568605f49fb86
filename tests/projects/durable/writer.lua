local store = require("store")
local io = require("io")
local numbers = require("numbers")
local sql = require("sql")

-- Long enough that half of it would be seen.
local TEXT = ("text"):rep(500)

local function write(id, from)
    local kept = assert(store.get(id))
    numbers.feed(from, function(n)
        return kept:set(tostring(n), { n = n, text = TEXT })
    end)
end

-- Says which of these numbers are there, whole.
local function read(id, ...)
    local kept = assert(store.get(id))
    for _, n in ipairs({ ... }) do
        local value = kept:get(n)
        if value and value.n == math.tointeger(n) and value.text == TEXT then
            io.print("got " .. n .. ";")
        end
    end
    return 0
end

local function prepare()
    local db = assert(sql.get("app:db"))
    assert(db:execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER)"))
    return db
end

-- Says which of these numbers are there, whole, and complains of what is half there and of a file that is not in order.
local function read_rows(...)
    local db = prepare()
    assert(assert(db:query("PRAGMA integrity_check"))[1].integrity_check == "ok")
    assert(assert(db:query("SELECT count(*) AS n FROM kept WHERE length(value) < 2000"))[1].n == 0)
    return read("app:rows", ...)
end

return {
    write = function(from) write("app:kept", from) end,
    read = function(...) return read("app:kept", ...) end,
    write_rows = function(from)
        prepare()
        write("app:rows", from)
    end,
    read_rows = read_rows,
}
