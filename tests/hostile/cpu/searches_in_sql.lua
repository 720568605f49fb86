-- attack: functions of SQL that compare two long values at each place, in statements that look short
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: sql

local function main()
    local sql = require("sql")
    local db = assert(sql.get("tenant:database"))
    local short = "SELECT length(trim(?, ?)) AS n"
    for _ = 1, 3 do
        assert(db:query(short, { "a", "b" }))
    end
    while true do
        db:query(short, { ("a"):rep(300000), ("b"):rep(100000) .. "a" })
        db:query("SELECT instr(zeroblob(3000000), zeroblob(1500000) || x'01') AS n")
        db:query("SELECT length(replace(zeroblob(3000000) || x'ff', zeroblob(1500000) || x'01', '')) AS n")
        db:query("SELECT CAST(zeroblob(3000000) AS TEXT) LIKE ? AS n", { "%" .. ("a_"):rep(100) .. "b%" })
    end
end

return { main = main }
