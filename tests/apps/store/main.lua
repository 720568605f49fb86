local store = require("store")
local time = require("time")
local funcs = require("funcs")
local check = require("check")

local function open(id)
    local s, err = store.get(id or "store:cache")
    check.is_nil(err)
    return s
end

check.case("what was set is got, with its types", function()
    local s = open()
    local value = { name = "Alice", n = 1, f = 1.5, list = { 1, 2, 3 }, deep = { ok = true }, bytes = "\255\0" }
    check.equal({ s:set("user:1", value) }, { true })
    check.equal({ s:get("user:1") }, { value })
    for _, plain in ipairs({ "text", 7, 7.0, true, false }) do
        check.is_true(s:set("plain", plain))
        check.equal(s:get("plain"), plain)
    end
end)

check.case("what is not there is NotFound", function()
    local s = open()
    local err = check.fails("NotFound", s:get("nothing"))
    check.contains(err, "nothing")
    check.equal(err:retryable(), false)
    check.fails("NotFound", s:entry("nothing"))
    check.equal({ s:has("nothing") }, { false })
    check.equal({ s:delete("nothing") }, { false })
end)

check.case("delete says whether there was something", function()
    local s = open()
    s:set("gone", 1)
    check.equal(s:has("gone"), true)
    check.equal({ s:delete("gone") }, { true })
    check.equal(s:has("gone"), false)
end)

check.case("a value with a time to live is gone after it", function()
    local s = open()
    check.is_true(s:set("short", 1, 0.02))
    check.is_true(s:set("long", 1, 3600))
    check.is_true(s:set("endless", 1, 0))
    check.is_true(s:set("text", 1, "1h"))
    for _ = 1, 1000 do
        if not s:has("short") then
            break
        end
        time.sleep("5ms")
    end
    check.fails("NotFound", s:get("short"))
    check.equal({ s:get("long"), s:get("endless"), s:get("text") }, { 1, 1, 1 })
end)

check.case("writing without a time to live takes the old one away", function()
    local s = open()
    s:set("renewed", 1, 0.02)
    s:set("renewed", 2)
    time.sleep("40ms")
    check.equal(s:get("renewed"), 2)
end)

check.case("entry has a version that changes with each write", function()
    local s = open()
    s:set("versioned", "a")
    local one = s:entry("versioned")
    check.equal({ one.key, one.value, type(one.version) }, { "versioned", "a", "string" })
    s:set("versioned", "a")
    check.is_true(s:entry("versioned").version ~= one.version)
end)

check.case("put writes under conditions", function()
    local s = open()
    s:delete("lock")
    local first, err = s:put("lock", "me", { only_if_absent = true, ttl = 60 })
    check.is_nil(err)
    check.equal({ first.key, first.value, first.version }, { "lock", "me", s:entry("lock").version })
    err = check.fails("AlreadyExists", s:put("lock", "you", { only_if_absent = true }))
    check.equal(err:retryable(), false)
    local second = s:put("lock", "you", { if_version = first.version })
    err = check.fails("Conflict", s:put("lock", "they", { if_version = first.version }))
    check.equal(err:retryable(), true)
    check.equal(s:entry("lock"), second)
    check.fails("Conflict", s:put("nobody", 1, { if_version = first.version }))
    check.fails("Invalid", s:put("lock", 1, { if_version = "1", only_if_absent = true }))
    check.fails("Invalid", s:put("lock", 1, { unless = true }))
    check.equal(s:put("plain", 1).value, 1)
end)

check.case("list pages in the order of keys", function()
    local s = open()
    for i = 25, 1, -1 do
        s:set(string.format("page:%02d", i), i)
    end
    local seen, options, pages = {}, { prefix = "page:", limit = 10 }, 0
    repeat
        local page, err = s:list(options)
        check.is_nil(err)
        for _, e in ipairs(page.items) do
            check.equal(e.key, string.format("page:%02d", e.value))
            table.insert(seen, e.value)
        end
        options.after = page.cursor
        pages = pages + 1
    until not page.has_more
    check.equal({ #seen, seen[1], seen[25], pages }, { 25, 1, 25, 3 })
    local none = s:list({ prefix = "no such" })
    check.equal(none, { items = {}, cursor = "", has_more = false })
    check.fails("Invalid", s:list({ limit = -1 }))
    check.fails("Invalid", s:list({ sort = "up" }))
    check.is_true(#s:list().items > 0)
end)

check.case("info and constants say what a store is", function()
    local info = open():info()
    check.equal(info, {
        id = "store:cache",
        backend = store.backend.MEMORY,
        consistency = store.consistency.LOCAL,
        durable = false,
        list = true,
        versioned = true,
        conditional_put = true,
        ttl = true,
    })
    check.equal({ store.backend.SQL, store.backend.KV_RAFT, store.backend.KV_CRDT }, { "sql", "kv.raft", "kv.crdt" })
    check.equal({ store.consistency.LINEARIZABLE, store.consistency.EVENTUAL }, { "linearizable", "eventual" })
end)

check.case("a released store answers with an error", function()
    local s = open()
    check.equal(s:release(), true)
    check.equal(s:release(), true)
    check.fails("Invalid", s:get("a"))
    check.fails("Invalid", s:set("a", 1))
    check.fails("Invalid", s:info())
end)

check.case("there are stores of entries only", function()
    check.fails("Invalid", store.get(""))
    check.contains(check.fails("NotFound", store.get("store:none")), "store.memory")
    check.contains(check.fails("Invalid", store.get("store:free")), "registry.entry")
    check.equal(store.get("cache"):info().id, "store:cache")
    check.raises("string expected, got nil", store.get, nil)
end)

check.case("keys and values that cannot be are refused", function()
    local s = open()
    check.fails("Invalid", s:set("", 1))
    check.fails("Invalid", s:get(""))
    check.fails("Invalid", s:set(string.rep("k", 5000), 1))
    check.fails("Invalid", s:set("nil", nil))
    check.contains(check.fails("Invalid", s:set("f", { g = print })), "argument[2].g")
    check.fails("Invalid", s:set("store", s))
    check.fails("Invalid", s:set("ttl", 1, -1))
    check.raises("number of seconds", s.set, s, "ttl", 1, {})
    check.raises("string expected", s.get, s, {})
end)

check.case("a full store takes no new key", function()
    local s = open("store:small")
    for i = 1, 3 do
        check.is_true(s:set("k" .. i, i))
    end
    check.contains(check.fails("LimitExceeded", s:set("k4", 4)), "max_size")
    check.is_true(s:set("k1", "changed"))
    check.contains(check.fails("LimitExceeded", s:set("k1", string.rep("x", 5000))), "max_bytes")
    check.equal(s:get("k1"), "changed")
    s:delete("k1")
    check.is_true(s:set("k4", 4))
end)

check.case("all processes see the same store", function()
    open():set("shared", { by = "main" })
    check.equal(funcs.call("store:reader", "store:cache", "shared"), { by = "main" })
    check.fails("NotFound", funcs.call("store:reader", "store:cache", "no such key"))
end)

check.case("a number is a key as its text", function()
    local s = store.get("store:cache")
    check.is_true(s:set(42, "by number"))
    check.equal(s:get("42"), "by number")
    check.equal(s:get(42), "by number")
    check.raises("string expected", s.get, s, {})
end)

return { main = check.main }
