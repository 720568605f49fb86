local sql = require("sql")
local time = require("time")

local ROWS = 10000

local function fill()
    local db = assert(sql.get("app:db"))
    assert(db:execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL)"))
    local tx = assert(db:begin())
    for id = 1, ROWS do
        assert(tx:execute("INSERT INTO items (id, name, price) VALUES (?, ?, ?)", { id, "item " .. id, id * 1.5 }))
    end
    assert(tx:commit())
end

-- Each of the readers asks for `each` rows, one after the other.
local function main(readers, each)
    fill()
    local ready = process.listen("ready")
    local done = process.listen("done")
    local pids = {}
    for number = 1, readers do
        pids[number] = assert(process.spawn("app:reader", "app:processes", process.pid(), number, each, ROWS))
        ready:receive()
    end
    local start = time.now()
    for _, pid in ipairs(pids) do
        assert(process.send(pid, "go"))
    end
    for _ = 1, readers do
        assert((done:receive()) == each)
    end
    return time.now():sub(start):seconds()
end

return { main = main }
