local io = require("io")
local sql = require("sql")

-- Sets things on a connection, opens a transaction, says so, and waits to be ended.
local function holder(parent, id)
    local db = assert(sql.get(id))
    local tx = assert(db:begin())
    assert(tx:execute("INSERT INTO leaks (n) VALUES (1)"))
    process.send(parent, "open")
    process.inbox():receive()
end

-- Runs a statement that takes for ever.
local function runner(parent, id, statement)
    local db = assert(sql.get(id))
    process.send(parent, "runs")
    db:query(statement)
end

-- Asks a database for a number; gives the kind of what went wrong instead.
local function asker(id)
    local db, err = sql.get(id)
    if not db then
        return err:kind()
    end
    local rows
    rows, err = db:query("SELECT 1 AS n")
    return rows and rows[1].n or err:kind()
end

-- Tells of a database whether it is there, each time that this changes; ends when it was away and is back.
local function watcher(id)
    local db = assert(sql.get(id))
    local last, was_away
    while not (was_away and last == "up") do
        local rows, err = db:query("SELECT 1 AS n")
        local now = rows and "up" or string.format("down %s %s", err:kind(), err:retryable())
        if now ~= last then
            io.print(now)
        end
        last, was_away = now, was_away or now ~= "up"
    end
    -- What waits for the database in a transaction hears of it, too.
    local tx = assert(db:begin())
    io.print("back " .. tx:query("SELECT 2 AS n")[1].n)
    tx:rollback()
end

return { holder = holder, runner = runner, asker = asker, watcher = watcher }
