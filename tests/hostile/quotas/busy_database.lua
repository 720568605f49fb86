-- attack: operations of a store whose database is busy, each of which would hold a thread of the node while it waits
-- stopped by: they wait without threads
-- ends: ok
-- modules: sql, store, time, compress

local sql, store, time, compress = require("sql"), require("store"), require("time"), require("compress")

local function main()
    local db = assert(sql.get("tenant:database"))
    assert(db:execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB, expires_at INTEGER)"))
    local kept = assert(store.get("tenant:store"))
    assert(kept:set("a", 1))
    local tx = assert(db:begin())
    assert(tx:execute("DELETE FROM kept WHERE key = 'b'"))
    local done = channel.new(900)
    for _ = 1, 900 do
        coroutine.spawn(function()
            local value, err = kept:get("a")
            done:send(value or err)
        end)
    end
    time.sleep("100ms")
    local start = time.now()
    assert(compress.brotli.encode(("x"):rep(200000)))
    assert(time.now():sub(start):milliseconds() < 2000, "work of the node waited for threads")
    assert(tx:rollback())
    for _ = 1, 900 do
        local value = done:receive()
        assert(value == 1, tostring(value))
    end
    return true
end

return { main = main }
