local sql = require("sql")

-- Opens a transaction, says so, and waits to be ended.
local function holder(parent)
    local db = assert(sql.get("sql_module:db"))
    local tx = assert(db:begin())
    assert(tx:execute("INSERT INTO leaks (n) VALUES (1)"))
    process.send(parent, "open")
    process.inbox():receive()
end

-- Runs a statement that takes for ever.
local function runner(parent)
    local db = assert(sql.get("sql_module:db"))
    process.send(parent, "runs")
    db:query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
end

return { holder = holder, runner = runner }
