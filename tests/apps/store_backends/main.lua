local store = require("store")
local sql = require("sql")
local time = require("time")
local check = require("check")

local db = assert(sql.get("store_backends:db"))
assert(db:execute([[
    CREATE TABLE kv_store (key VARCHAR(255) PRIMARY KEY, value BYTEA NOT NULL, expires_at BIGINT);
    CREATE TABLE other (id TEXT PRIMARY KEY, payload BLOB, until INTEGER);
]]))

local function open(name)
    local found, err = store.get("store_backends:" .. name)
    check.is_nil(err)
    for _, item in ipairs(assert(found:list({ limit = 1000 })).items) do
        check.is_true((found:delete(item.key)))
    end
    return found
end

for _, name in ipairs({ "table", "other", "file" }) do
    check.case(name .. ": what is set can be read", function()
        local s = open(name)
        local value = { name = "Alice", list = { 1, 2.5, false }, deep = { x = { y = "z\0\255" } } }
        check.is_true((s:set("user:1", value)))
        check.equal((s:get("user:1")), value)
        check.is_true((s:set("user:1", 9007199254740993)))
        check.equal((s:get("user:1")), 9007199254740993)
        check.is_true((s:has("user:1")))
        check.equal((s:has("user:2")), false)
        check.fails("NotFound", s:get("user:2"))
        check.is_true((s:delete("user:1")))
        check.equal((s:delete("user:1")), false)
        check.fails("NotFound", s:get("user:1"))
    end)

    check.case(name .. ": items are listed by key, page by page", function()
        local s = open(name)
        for _, key in ipairs({ "b:2", "a:1", "b:1", "b:3", "c:1" }) do
            s:set(key, key)
        end
        local page = s:list({ prefix = "b:", limit = 2 })
        check.equal({ page.items[1].key, page.items[2].value, page.has_more }, { "b:1", "b:2", true })
        page = s:list({ prefix = "b:", after = page.cursor, limit = 2 })
        check.equal({ #page.items, page.items[1].key, page.has_more }, { 1, "b:3", false })
        check.equal(#s:list().items, 5)
    end)

    check.case(name .. ": items expire", function()
        local s = open(name)
        check.is_true((s:set("short", 1, 1)))
        check.is_true((s:set("long", 1, 1000)))
        check.equal((s:get("short")), 1)
        local gone = false
        for _ = 1, 400 do
            if not s:has("short") then
                gone = true
                break
            end
            time.sleep("10ms")
        end
        check.is_true(gone)
        check.fails("NotFound", s:get("short"))
        check.is_true((s:has("long")))
    end)
end

check.case("a table has no conditions, and says so", function()
    local s = open("table")
    local info = s:info()
    check.equal({ info.backend, info.durable, info.conditional_put, info.versioned }, { store.backend.SQL, true, false, false })
    check.fails("Invalid", s:put("k", 1, { only_if_absent = true }))
    check.equal(assert(s:put("k", 2)).value, 2)
    check.equal((db:query("SELECT key, expires_at IS NULL AS lasts FROM kv_store WHERE key = 'k'")), { { key = "k", lasts = 1 } })
end)

check.case("a file has conditions", function()
    local s = open("file")
    local info = s:info()
    check.equal({ info.backend, info.durable, info.conditional_put, info.versioned }, { "redb", true, true, true })
    local first = assert(s:put("k", 1, { only_if_absent = true }))
    check.fails("AlreadyExists", s:put("k", 2, { only_if_absent = true }))
    local second = assert(s:put("k", 2, { if_version = first.version }))
    check.is_true(first.version ~= second.version)
    local err = check.fails("Conflict", s:put("k", 3, { if_version = first.version }))
    check.equal(err:retryable(), true)
    check.equal(assert(s:entry("k")).value, 2)
end)

check.case("a file has a limit", function()
    local s = open("file")
    for n = 1, 20 do
        check.is_true((s:set("k" .. n, n)))
    end
    check.fails("LimitExceeded", s:set("k21", 21))
    check.is_true((s:set("k20", 0)))
end)

check.case("names in an entry cannot be statements", function()
    check.fails("Invalid", store.get("store_backends:evil"))
end)

return { main = check.main }
