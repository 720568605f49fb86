-- attack: temporary tables, which are in memory that all databases of the node share
-- stopped by: sixteen megabytes for a database; what is temporary goes with the statement or transaction that made it
-- ends: ok
-- modules: sql

local sql = require("sql")
local expect = require("expect")

local function main()
    local db = assert(sql.get("tenant:database"))
    local tx = assert(db:begin())
    assert(tx:execute("CREATE TEMP TABLE t (x BLOB)"))
    local err, times = expect.until_refused("LimitExceeded", 40, function()
        return tx:execute("INSERT INTO t VALUES (zeroblob(1000000))")
    end)
    assert(err:details().limit == "temporary_tables", err:message())
    assert(times < 18, times)
    tx:commit()
    local rows, gone = db:query("SELECT count(*) FROM t")
    assert(rows == nil and gone:message():find("no such table", 1, true), tostring(gone))
    assert(db:execute("CREATE TEMP TABLE u AS SELECT 1 AS n"))
    rows, gone = db:query("SELECT n FROM u")
    assert(rows == nil and gone:message():find("no such table", 1, true), tostring(gone))
    return true
end

return { main = main }
