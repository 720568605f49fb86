local sql = require("sql")

local kept = {}

local function handles()
    for count = 1, 100 do
        local db, err = sql.get("limits:db")
        if not db then
            return { count = count - 1, kind = err:kind(), retryable = err:retryable(), details = err:details() }
        end
        kept[count] = db
    end
end

-- A call cannot wait inside of `sort`: it is given up at once, and what it makes comes later.
local function late()
    local db = assert(sql.get("limits:db"))
    for _ = 1, 10 do
        local ok, err = pcall(table.sort, { 1, 2 }, function()
            return db:prepare("SELECT 1")
        end)
        assert(not ok and tostring(err):find("yield"), err)
    end
    for _ = 1, 5000 do
        kept[1] = db:prepare("SELECT 1")
        if kept[1] then
            return true
        end
    end
    return false
end

return { handles = handles, late = late }
