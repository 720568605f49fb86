-- The notes: what a client may send, and how they are kept. Each function gives a result, or an error with a kind.

local json = require("json")
local sql = require("sql")

type Tag = string @pattern("^[a-z]+$")

-- What a client sends.
export type Note = {
    title: string @min_len(1) @max_len(80),
    text?: string @max_len(2000),
    tags?: {Tag},
}

-- A note that is kept.
export type Kept = { id: integer, title: string, text: string, tags: {string} }

type Id = integer @min(1)

local notes = {}

local function failure(kind: string, message: string): error
    return errors.new({ kind = kind, message = message })
end

-- Anybody may send anything; the type says at run time whether it is what we take.
local function read(value: any): (Note?, error?)
    local note, problem = Note:is(value)
    if not note then
        return nil, failure(errors.INVALID, tostring(problem))
    end
    return note
end

local function number(text: any): (integer?, error?)
    local id = Id:is(tonumber(text))
    if not id then
        return nil, failure(errors.INVALID, "the id of a note is a whole number")
    end
    return id
end

-- Each request is a process of its own, so whoever comes first makes the table.
local function open(): (sql.Database?, error?)
    local db, err = sql.get("app:db")
    if not db then
        return nil, err
    end
    local _, failed = db:execute([[
        CREATE TABLE IF NOT EXISTS notes (
            id INTEGER PRIMARY KEY,
            title TEXT NOT NULL UNIQUE,
            text TEXT NOT NULL,
            tags TEXT NOT NULL
        )
    ]])
    if failed then
        return nil, failed
    end
    return db
end

-- Runs a statement that gives notes.
local function select(statement: string, params: {any}): ({Kept}?, error?)
    local db, err = open()
    if not db then
        return nil, err
    end
    local rows, failed = db:query(statement, params)
    if failed then
        if failed:kind() == errors.ALREADY_EXISTS then
            return nil, failure(errors.ALREADY_EXISTS, "there is a note with this title")
        end
        return nil, failed
    end
    local list: {Kept} = {}
    for _, row in ipairs(rows) do
        table.insert(list, { id = row.id, title = row.title, text = row.text, tags = json.decode(row.tags) })
    end
    return list
end

local function one(list: {Kept}?, err: error?): (Kept?, error?)
    if not list then
        return nil, err
    elseif #list == 0 then
        return nil, failure(errors.NOT_FOUND, "there is no such note")
    end
    return list[1]
end

function notes.list(): ({Kept}?, error?)
    return select("SELECT * FROM notes ORDER BY id LIMIT 100", {})
end

function notes.get(id: any): (Kept?, error?)
    local key, err = number(id)
    if not key then
        return nil, err
    end
    return one(select("SELECT * FROM notes WHERE id = ?", { key }))
end

function notes.create(value: any): (Kept?, error?)
    local note, err = read(value)
    if not note then
        return nil, err
    end
    local values = { note.title, note.text or "", json.encode(note.tags or {}) }
    return one(select("INSERT INTO notes (title, text, tags) VALUES (?, ?, ?) RETURNING *", values))
end

function notes.replace(id: any, value: any): (Kept?, error?)
    local key, err = number(id)
    if not key then
        return nil, err
    end
    local note, problem = read(value)
    if not note then
        return nil, problem
    end
    local values = { note.title, note.text or "", json.encode(note.tags or {}), key }
    return one(select("UPDATE notes SET title = ?, text = ?, tags = ? WHERE id = ? RETURNING *", values))
end

function notes.remove(id: any): (Kept?, error?)
    local key, err = number(id)
    if not key then
        return nil, err
    end
    return one(select("DELETE FROM notes WHERE id = ? RETURNING *", { key }))
end

return notes
