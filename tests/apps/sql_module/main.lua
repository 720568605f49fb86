local sql = require("sql")
local time = require("time")
local funcs = require("funcs")
local check = require("check")

local b = sql.builder

local function open(id)
    local db, err = sql.get(id or "sql_module:db")
    check.is_nil(err)
    return db
end

local function table_of(name, columns)
    local db = open()
    check.is_nil(select(2, db:execute("DROP TABLE IF EXISTS " .. name)))
    check.is_nil(select(2, db:execute("CREATE TABLE " .. name .. " (" .. columns .. ")")))
    return db
end

check.case("constants are those of the reference", function()
    check.equal(sql.type, { POSTGRES = "postgres", MYSQL = "mysql", SQLITE = "sqlite", UNKNOWN = "unknown" })
    check.equal(sql.isolation.DEFAULT, "default")
    check.equal(sql.isolation.WRITE_COMMITTED, "write_committed")
    check.equal(sql.isolation.SERIALIZABLE, "serializable")
end)

check.case("an id must be given and lead to a database", function()
    check.fails("Invalid", sql.get(""))
    check.fails("NotFound", sql.get("sql_module:nothing"))
    check.fails("Invalid", sql.get("sql_module:main"))
    check.is_true(not pcall(sql.get))
    check.is_true(not pcall(sql.get, {}))
end)

check.case("an id without a namespace is one of the caller's", function()
    check.equal((open("db"):type()), "sqlite")
end)

check.case("a kind that is not built says so", function()
    local err = check.fails("Unavailable", sql.get("sql_module:elsewhere"))
    check.contains(err, "db.sql.sqlite")
    check.equal(err:retryable(), false)
end)

check.case("the file may be named by a variable", function()
    check.equal((open("sql_module:chosen"):query("SELECT 1 AS n")), { { n = 1 } })
end)

check.case("rows come back with the types that went in", function()
    local db = table_of("kinds", "i INTEGER, r REAL, t TEXT, b BLOB, n TEXT, yes BOOLEAN")
    local result, err = db:execute("INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?)",
        { 9007199254740993, 1.5, "grüße\0x", sql.as.binary("\1\2\255"), sql.NULL, true })
    check.is_nil(err)
    check.equal(result, { last_insert_id = 1, rows_affected = 1 })
    check.equal((db:query("SELECT * FROM kinds")),
        { { i = 9007199254740993, r = 1.5, t = "grüße\0x", b = "\1\2\255", yes = true } })
    check.equal((db:query("SELECT typeof(i) AS i, typeof(r) AS r, typeof(t) AS t, typeof(b) AS b, typeof(n) AS n FROM kinds")),
        { { i = "integer", r = "real", t = "text", b = "blob", n = "null" } })
end)

check.case("columns of moments give what time.parse reads with time.RFC3339", function()
    local db = table_of("moments", "made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, a DATETIME, b date, c DATETIME, d TEXT, n INTEGER")
    db:execute("INSERT INTO moments (a, b, c, d, n) VALUES (?, ?, ?, ?, ?)",
        { "2024-02-29 10:34:56.5", "2024-02-29", 1709202896, "2024-02-29 10:34:56", 1709202896 })
    local row = db:query("SELECT * FROM moments")[1]
    check.equal({ row.a, row.b, row.c, row.d, row.n },
        { "2024-02-29T10:34:56.5Z", "2024-02-29T00:00:00Z", "2024-02-29T10:34:56Z", "2024-02-29 10:34:56", 1709202896 })
    check.match(row.made, "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    db:execute("UPDATE moments SET a = ?, c = ?", { "soon", 1709202896500 })
    row = db:query("SELECT a, c FROM moments")[1]
    check.equal(row, { a = "soon", c = "2024-02-29T10:34:56.5Z" })
end)

check.case("no rows are an empty list", function()
    local db = table_of("empty", "n")
    check.equal((db:query("SELECT * FROM empty")), {})
end)

check.case("execute tells what changed", function()
    local db = table_of("changes", "id INTEGER PRIMARY KEY, n INTEGER")
    check.equal((db:execute("INSERT INTO changes (n) VALUES (1), (2), (3)")), { last_insert_id = 3, rows_affected = 3 })
    check.equal((db:execute("UPDATE changes SET n = n + 1 WHERE n > ?", { 1 })).rows_affected, 2)
    check.equal((db:execute("DELETE FROM changes WHERE n = 99")).rows_affected, 0)
    check.equal((db:execute("CREATE INDEX changes_n ON changes (n)")).rows_affected, 0)
    check.equal((db:query("INSERT INTO changes (n) VALUES (7) RETURNING id, n")), { { id = 4, n = 7 } })
end)

check.case("an Error is stored as its text", function()
    local db = table_of("failures", "why TEXT")
    check.is_nil(select(2, db:execute("INSERT INTO failures VALUES (?)", { errors.new("not there") })))
    check.equal((db:query("SELECT why FROM failures")), { { why = "not there" } })
end)

check.case("values can be coerced", function()
    local db = open()
    local rows = db:query("SELECT typeof(?) AS a, typeof(?) AS b, typeof(?) AS c, typeof(?) AS d, typeof(?) AS e",
        { sql.as.int(42.0), sql.as.float(1), sql.as.text("x"), sql.as.binary("x"), sql.as.null() })
    check.equal(rows, { { a = "integer", b = "real", c = "text", d = "blob", e = "null" } })
    check.equal((db:query("SELECT ? AS n", { sql.as.int(-5) })), { { n = -5 } })
    check.equal(type(sql.as.int(1)), "userdata")
    check.is_true(sql.as.null() == sql.NULL)
end)

check.case("an error as a parameter is its message", function()
    local db = open()
    check.equal((db:query("SELECT ? AS e", { errors.new({ message = "gone", kind = errors.NOT_FOUND }) })), { { e = "gone" } })
end)

check.case("a missing parameter in the middle is NULL", function()
    check.equal((open():query("SELECT ? IS NULL AS a, ? AS b", { nil, 2 })), { { a = 1, b = 2 } })
end)

check.case("wrong parameters are errors", function()
    local db = open()
    check.fails("Invalid", db:query("SELECT ?, ?", { 1 }))
    check.fails("Invalid", db:query("SELECT ?", 5))
    check.fails("Invalid", db:query("SELECT ?", { { 1 } }))
    check.fails("Invalid", db:query("SELECT ?", { name = 1 }))
    check.fails("Invalid", db:query("SELECT ?", { db }))
    check.fails("Invalid", db:query("SELECT ?", { [1 << 40] = 1 }))
    check.fails("Invalid", db:query("", {}))
    check.fails("Invalid", db:query(" \n"))
    check.is_true(not pcall(db.query, db))
    check.is_true(not pcall(db.query, db, {}))
    check.is_true(not pcall(db.query, db, "SELECT \255"))
end)

check.case("a statement with a mistake is Invalid and says where", function()
    local err = check.fails("Invalid", open():query("SELEC 1"))
    check.contains(err, "SELEC")
    check.fails("Invalid", open():query("SELECT * FROM missing"))
    check.fails("Invalid", open():query("SELECT 1 \0 x"))
end)

check.case("constraints have kinds and details", function()
    local db = table_of("rules", "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER CHECK (age > 0)")
    check.is_nil(select(2, db:execute("INSERT INTO rules VALUES (1, 'a', 1)")))
    local err = check.fails("AlreadyExists", db:execute("INSERT INTO rules VALUES (2, 'a', 1)"))
    check.contains(err, "rules.name")
    check.equal(err:details().sqlite_code, 19)
    check.equal(err:retryable(), false)
    check.fails("AlreadyExists", db:execute("INSERT INTO rules VALUES (1, 'b', 1)"))
    check.fails("Invalid", db:execute("INSERT INTO rules VALUES (3, NULL, 1)"))
    check.fails("Invalid", db:execute("INSERT INTO rules VALUES (3, 'c', 0)"))
end)

check.case("foreign keys hold when they are switched on", function()
    local db = table_of("parents", "id INTEGER PRIMARY KEY")
    table_of("children", "parent INTEGER REFERENCES parents (id)")
    check.is_nil(select(2, db:execute("PRAGMA foreign_keys = ON")))
    check.fails("Conflict", db:execute("INSERT INTO children VALUES (5)"))
    check.is_nil(select(2, db:execute("PRAGMA foreign_keys = OFF")))
end)

check.case("several statements run one after another", function()
    local db = open()
    local result, err = db:execute([[
        DROP TABLE IF EXISTS many;
        CREATE TABLE many (n INTEGER);
        INSERT INTO many VALUES (?);
        INSERT INTO many VALUES (?); -- the end
    ]], { 1, 2 })
    check.is_nil(err)
    check.equal(result.rows_affected, 1)
    check.equal((db:query("SELECT n FROM many ORDER BY n")), { { n = 1 }, { n = 2 } })
    check.equal((db:query("INSERT INTO many VALUES (3); SELECT count(*) AS c FROM many")), { { c = 3 } })
end)

check.case("prepared statements", function()
    local db = table_of("prepared", "n INTEGER")
    local insert, err = db:prepare("INSERT INTO prepared VALUES (?)")
    check.is_nil(err)
    for n = 1, 5 do
        check.equal((insert:execute({ n })).rows_affected, 1)
    end
    local find = db:prepare("SELECT n FROM prepared WHERE n = ?")
    check.equal((find:query({ 3 })), { { n = 3 } })
    check.equal((find:query({ 9 })), {})
    check.fails("Invalid", find:query({ 1, 2 }))
    check.is_true((find:close()))
    check.is_true((find:close()))
    check.fails("Invalid", find:query({ 3 }))
    check.fails("Invalid", db:prepare("SELECT FROM"))
    check.fails("Invalid", db:prepare("SELECT 1; SELECT 2"))
end)

check.case("a transaction is kept or undone", function()
    local db = table_of("accounts", "id INTEGER PRIMARY KEY, money INTEGER")
    local tx, err = db:begin({ isolation = sql.isolation.SERIALIZABLE, read_only = false })
    check.is_nil(err)
    check.equal((tx:db_type()), "sqlite")
    check.is_nil(select(2, tx:execute("INSERT INTO accounts VALUES (1, 10)")))
    local statement = tx:prepare("INSERT INTO accounts VALUES (?, ?)")
    check.is_nil(select(2, statement:execute({ 2, 20 })))
    check.equal((tx:query("SELECT count(*) AS n FROM accounts")), { { n = 2 } })
    check.is_true((tx:commit()))
    check.fails("Invalid", tx:commit())
    check.fails("Invalid", tx:query("SELECT 1"))
    check.fails("Invalid", tx:db_type())
    tx = db:begin()
    tx:execute("DELETE FROM accounts")
    check.is_true((tx:rollback()))
    check.fails("Invalid", tx:rollback())
    check.equal((db:query("SELECT count(*) AS n FROM accounts")), { { n = 2 } })
end)

check.case("savepoints", function()
    local db = table_of("points", "n INTEGER")
    local tx = db:begin()
    tx:execute("INSERT INTO points VALUES (1)")
    check.is_true((tx:savepoint("sp1")))
    tx:execute("INSERT INTO points VALUES (2)")
    check.is_true((tx:rollback_to("sp1")))
    check.is_true((tx:release("sp1")))
    check.fails("Invalid", tx:release("sp1"))
    check.fails("Invalid", tx:savepoint(""))
    check.fails("Invalid", tx:savepoint("a b"))
    check.fails("Invalid", tx:savepoint("x; DROP TABLE points"))
    check.is_true((tx:savepoint("1st")))
    check.is_true((tx:commit()))
    check.equal((db:query("SELECT n FROM points")), { { n = 1 } })
end)

check.case("a read-only transaction changes nothing", function()
    local db = table_of("fixed", "n INTEGER")
    local tx = db:begin({ read_only = true })
    check.fails("PermissionDenied", tx:execute("INSERT INTO fixed VALUES (1)"))
    check.is_true((tx:rollback()))
    check.is_nil(select(2, db:execute("INSERT INTO fixed VALUES (1)")))
end)

check.case("options of begin are checked", function()
    local db = open()
    check.fails("Invalid", db:begin({ isolation = "chaos" }))
    check.fails("Invalid", db:begin({ isolation = {} }))
    check.fails("Invalid", db:begin({ read_only = "yes" }))
    check.is_true(not pcall(db.begin, db, 5))
end)

check.case("a transaction by hand belongs to the handle", function()
    local db = table_of("byhand", "n INTEGER")
    check.is_nil(select(2, db:execute("BEGIN")))
    check.is_nil(select(2, db:execute("INSERT INTO byhand VALUES (1)")))
    db:release()
    check.equal((open():query("SELECT * FROM byhand")), {})
end)

check.case("a released handle is of no use", function()
    local db = open()
    check.is_true((db:release()))
    check.is_true((db:release()))
    check.fails("Invalid", db:query("SELECT 1"))
    check.fails("Invalid", db:type())
    check.fails("Invalid", db:stats())
end)

check.case("stats", function()
    local stats, err = open():stats()
    check.is_nil(err)
    check.equal(stats.max_open_connections, 1)
    check.equal(stats.in_use + stats.idle, 1)
    check.equal(type(stats.wait_duration), "string")
end)

check.case("statements of many coroutines take turns", function()
    local db = table_of("turns", "n INTEGER")
    local done = channel.new(20)
    for n = 1, 20 do
        coroutine.spawn(function()
            local _, err = db:execute("INSERT INTO turns VALUES (?)", { n })
            done:send(err == nil)
        end)
    end
    for _ = 1, 20 do
        check.is_true((done:receive()))
    end
    check.equal((db:query("SELECT sum(n) AS s FROM turns")), { { s = 210 } })
end)

check.case("what a killed process left open is undone, and the database goes on", function()
    local db = table_of("leaks", "n INTEGER")
    local listening = process.listen("open")
    local pid = process.spawn("sql_module:holder", "lib:processes", process.pid())
    check.receive(listening)
    check.is_true((process.terminate(pid)))
    check.equal((db:query("SELECT * FROM leaks")), {})
end)

check.case("a statement ends with the process that runs it", function()
    local db = open()
    local listening = process.listen("runs")
    local pid = process.spawn("sql_module:runner", "lib:processes", process.pid())
    check.receive(listening)
    check.is_true((process.terminate(pid)))
    check.equal((db:query("SELECT 1 AS n")), { { n = 1 } })
end)

check.case("nothing outside of the database can be reached", function()
    local db = open()
    for _, statement in ipairs({
        "ATTACH '/tmp/moonlet-attached.db' AS other",
        "ATTACH '' AS other",
        "VACUUM INTO '/tmp/moonlet-vacuumed.db'",
        "SELECT load_extension('x')",
        "PRAGMA database_list",
        "PRAGMA max_page_count = 1000000",
        "PRAGMA writable_schema = ON",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA query_only = OFF",
    }) do
        check.fails("PermissionDenied", db:execute(statement))
    end
    check.is_true(db:execute("UPDATE sqlite_master SET sql = 'x'") == nil)
    check.is_nil(select(2, db:execute("VACUUM")))
    check.is_nil(select(2, db:execute("PRAGMA cache_size = -1000000")))
    check.equal((db:query("PRAGMA table_info(leaks)"))[1].name, "n")
end)

check.case("limits of the entry hold", function()
    local db = open("sql_module:tiny")
    check.is_nil(select(2, db:execute("CREATE TABLE IF NOT EXISTS big (t TEXT)")))
    check.fails("LimitExceeded", db:execute("INSERT INTO big VALUES (?)", { string.rep("x", 20000) }))
    local err
    for _ = 1, 100 do
        _, err = db:execute("INSERT INTO big VALUES (?)", { string.rep("x", 10000) })
        if err then
            break
        end
    end
    check.equal(err and err:kind(), "LimitExceeded")
    check.contains(err, "max_size")
    err = check.fails("Timeout",
        db:query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"))
    check.equal(err:retryable(), true)
    local tx = db:begin()
    err = check.fails("Unavailable", db:query("SELECT 1"))
    check.equal(err:retryable(), true)
    check.contains(err, "tx:query")
    check.is_true((tx:rollback()))
    check.equal((db:query("SELECT 1 AS n")), { { n = 1 } })
end)

check.case("a result that is too large is an error", function()
    local db = open()
    local _, err = db:query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'some text' AS t FROM n")
    check.equal(err and err:kind(), "LimitExceeded")
    check.contains(err, "LIMIT")
end)

check.case("the builder writes select statements", function()
    local function is(query, text, args)
        local got, got_args = query:to_sql()
        check.equal(got, text)
        check.equal(got_args, args or {})
    end
    is(b.select("id", "name"):from("users"):where({ active = 1 }), "SELECT id, name FROM users WHERE active = ?", { 1 })
    is(b.select("*"):from("t"):where({ b = 1, a = "x" }):where("c > ? OR d < ?", 5, 6),
        "SELECT * FROM t WHERE a = ? AND b = ? AND c > ? OR d < ?", { "x", 1, 5, 6 })
    is(b.select("*"):from("t"):where({ id = { 1, 2, 3 } }), "SELECT * FROM t WHERE id IN (?,?,?)", { 1, 2, 3 })
    is(b.select("*"):from("t"):where({ id = {} }), "SELECT * FROM t WHERE (1=0)")
    is(b.select("*"):from("t"):where({ gone = sql.NULL }), "SELECT * FROM t WHERE gone IS NULL")
    is(b.select("*"):from("t"):where(b.not_eq({ gone = sql.NULL })), "SELECT * FROM t WHERE gone IS NOT NULL")
    is(b.select("*"):from("t"):where(b.not_eq({ id = { 1, 2 } })), "SELECT * FROM t WHERE id NOT IN (?,?)", { 1, 2 })
    is(b.select("*"):from("t"):where(b.or_({ b.eq({ a = 1 }), { c = 2 }, b.and_({ b.gt({ d = 3 }), b.lte({ e = 4 }) }) })),
        "SELECT * FROM t WHERE (a = ? OR c = ? OR (d > ? AND e <= ?))", { 1, 2, 3, 4 })
    is(b.select("*"):from("t"):where(b.like({ name = "a%" })):where(b.not_like({ mail = "%x" })),
        "SELECT * FROM t WHERE name LIKE ? AND mail NOT LIKE ?", { "a%", "%x" })
    is(b.select("*"):from("t"):where(b.expr("score BETWEEN ? AND ?", 80, 90)), "SELECT * FROM t WHERE score BETWEEN ? AND ?",
        { 80, 90 })
    is(b.select("u.id", "o.n"):from("users u"):join("orders o ON o.u = u.id AND o.n > ?", 5):left_join("x ON 1"):right_join("y ON 2")
        :inner_join("z ON 3"),
        "SELECT u.id, o.n FROM users u JOIN orders o ON o.u = u.id AND o.n > ? LEFT JOIN x ON 1 RIGHT JOIN y ON 2 INNER JOIN z ON 3",
        { 5 })
    is(b.select("status", "COUNT(*) AS c"):from("t"):group_by("status"):having(b.gt({ c = 10 })):order_by("c DESC", "status")
        :limit(10):offset(20):suffix("FOR UPDATE"),
        "SELECT status, COUNT(*) AS c FROM t GROUP BY status HAVING c > ? ORDER BY c DESC, status LIMIT 10 OFFSET 20 FOR UPDATE",
        { 10 })
    is(b.select():columns("a", "b"):from("t"):distinct(), "SELECT DISTINCT a, b FROM t")
    is(b.select("*"):from("t"):where("a = ? AND b = ?", 1, 2):placeholder_format(b.dollar), "SELECT * FROM t WHERE a = $1 AND b = $2",
        { 1, 2 })
    is(b.select("*"):from("t"):where("a = ?", 1):placeholder_format(b.at), "SELECT * FROM t WHERE a = @p1", { 1 })
    is(b.select("*"):from("t"):where("a = ?", 1):placeholder_format(b.colon), "SELECT * FROM t WHERE a = :1", { 1 })
    check.is_true(b.question == b.default_placeholder)
    check.fails("Invalid", b.select():from("t"):to_sql())
    check.fails("Invalid", b.select("*"):from("t"):where(b.lt({ a = { 1 } })):to_sql())
end)

check.case("the builder writes changing statements", function()
    local function is(query, text, args)
        local got, got_args = query:to_sql()
        check.equal(got, text)
        check.equal(got_args, args or {})
    end
    is(b.insert("users"):columns("name", "email"):values("a", "b"):values("c", sql.NULL),
        "INSERT INTO users (name,email) VALUES (?,?),(?,?)", { "a", "b", "c" })
    is(b.insert():into("users"):set_map({ name = "a", age = 3 }), "INSERT INTO users (age,name) VALUES (?,?)", { 3, "a" })
    is(b.insert("t"):columns("a"):select(b.select("x"):from("y"):where({ z = 1 })), "INSERT INTO t (a) SELECT x FROM y WHERE z = ?",
        { 1 })
    is(b.insert("t"):options("OR IGNORE"):columns("a"):values(b.expr("UPPER(?)", "x")):suffix("RETURNING id"),
        "INSERT OR IGNORE INTO t (a) VALUES (UPPER(?)) RETURNING id", { "x" })
    is(b.update("users"):set("status", "on"):set("at", b.expr("NOW()")):where({ id = 1 }):order_by("id"):limit(5),
        "UPDATE users SET status = ?, at = NOW() WHERE id = ? ORDER BY id LIMIT 5", { "on", 1 })
    is(b.update():table("t"):set_map({ b = 2, a = sql.NULL }):from("o"), "UPDATE t SET a = ?, b = ? FROM o", { nil, 2 })
    is(b.update("t"):set("a", 1):from_select(b.select("*"):from("s"), "q"), "UPDATE t SET a = ? FROM (SELECT * FROM s) AS q", { 1 })
    is(b.delete("t"):where({ a = 0 }):order_by("b"):limit(100):offset(5):suffix("RETURNING id"),
        "DELETE FROM t WHERE a = ? ORDER BY b LIMIT 100 OFFSET 5 RETURNING id", { 0 })
    is(b.delete():from("t"), "DELETE FROM t")
    check.fails("Invalid", b.insert("t"):to_sql())
    check.fails("Invalid", b.update("t"):to_sql())
    check.fails("Invalid", b.delete():to_sql())
end)

check.case("builders do not change what they came from", function()
    local base = b.select("*"):from("t")
    local one, two = base:where({ a = 1 }), base:where({ b = 2 })
    check.equal((base:to_sql()), "SELECT * FROM t")
    check.equal((one:to_sql()), "SELECT * FROM t WHERE a = ?")
    check.equal((two:to_sql()), "SELECT * FROM t WHERE b = ?")
end)

check.case("the builder runs with a database and in a transaction", function()
    local db = table_of("built", "id INTEGER PRIMARY KEY, name TEXT, score REAL")
    local result, err = b.insert("built"):columns("name", "score"):values("a", 1.5):values("b", sql.NULL):run_with(db):exec()
    check.is_nil(err)
    check.equal(result, { last_insert_id = 2, rows_affected = 2 })
    local executor = b.select("name", "score"):from("built"):order_by("id"):run_with(db)
    check.equal((executor:to_sql()), "SELECT name, score FROM built ORDER BY id")
    check.equal((executor:query()), { { name = "a", score = 1.5 }, { name = "b" } })
    local tx = db:begin()
    check.equal((b.update("built"):set("name", "z"):where({ id = 1 }):run_with(tx):exec()).rows_affected, 1)
    check.equal((b.delete("built"):where(b.eq({ id = 2 })):run_with(tx):exec()).rows_affected, 1)
    check.is_true((tx:commit()))
    check.equal((b.select("name"):from("built"):run_with(db):query()), { { name = "z" } })
    check.is_true(not pcall(executor.query, 5))
    check.is_true(not pcall(base, 1))
    check.is_true(not pcall(b.select("x").run_with, b.select("x"), {}))
    check.is_true(not pcall(b.select, 1))
    check.is_true(not pcall(b.eq, "x"))
end)

check.case("depth and size have limits", function()
    local db = open()
    check.fails("Invalid", db:query("SELECT 1" .. string.rep("+1", 2000)))
    check.is_true(db:query("SELECT '" .. string.rep("x", 2000000) .. "'") == nil)
    local deep = {}
    for _ = 1, 500 do
        deep = { deep }
    end
    check.is_true(db:query("SELECT ?", { deep }) == nil)
end)

return { main = check.main }
