local sql = require("sql")

export type Note = {id: integer, title: string, done: boolean}

local DATABASE = "app:db"

local notes = {}

local function open()
    return assert(sql.get(DATABASE))
end

function notes.prepare()
    assert(open():execute([[
        CREATE TABLE IF NOT EXISTS notes (
            id INTEGER PRIMARY KEY,
            title TEXT NOT NULL UNIQUE,
            done BOOLEAN NOT NULL DEFAULT FALSE
        )
    ]]))
end

function notes.add(title: string)
    local result, err = open():execute("INSERT INTO notes (title) VALUES (?)", {title})
    if err then
        return nil, err
    end
    return result.last_insert_id
end

-- Adds all of them, or none.
function notes.import(titles: {string})
    local tx = assert(open():begin())
    local insert = assert(tx:prepare("INSERT INTO notes (title) VALUES (?)"))
    for _, title in ipairs(titles) do
        local _, err = insert:execute({title})
        if err then
            tx:rollback()
            return nil, err
        end
    end
    return tx:commit()
end

function notes.find(pattern: string): {Note}
    local query = sql.builder.select("id", "title", "done"):from("notes"):where(sql.builder.like({title = pattern})):order_by("id")
    return assert(query:run_with(open()):query())
end

function notes.open(): {Note}
    return assert(sql.builder.select("*"):from("notes"):where({done = false}):order_by("title"):run_with(open()):query())
end

function notes.finish(id: integer): Note
    local changed = assert(open():query("UPDATE notes SET done = TRUE WHERE id = ? RETURNING *", {id}))
    -- What a database gives is any table; called like a function, a type makes sure.
    return Note(changed[1])
end

function notes.count(): integer
    return assert(open():query("SELECT count(*) AS n FROM notes"))[1].n
end

function notes.remove_finished(): integer
    return assert(sql.builder.delete("notes"):where({done = true}):run_with(open()):exec()).rows_affected
end

return notes
