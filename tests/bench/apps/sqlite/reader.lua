local sql = require("sql")

local function main(parent, number, each, rows)
    local db = assert(sql.get("app:db"))
    local go = process.listen("go")
    process.send(parent, "ready")
    go:receive()
    local found = 0
    for index = 1, each do
        local id = (index * 7919 + number) % rows + 1
        local items = assert(db:query("SELECT id, name, price FROM items WHERE id = ?", { id }))
        if items[1].id == id then
            found = found + 1
        end
    end
    process.send(parent, "done", found)
end

return { main = main }
