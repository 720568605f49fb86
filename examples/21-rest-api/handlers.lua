local http = require("http")
local note = require("note")
local store = require("store")
local uuid = require("uuid")

local function refuse(res, status, message)
    res:set_status(status)
    res:write_json({ error = message })
end

local function create()
    local req, res = http.request(), http.response()
    local body, err = req:body_json()
    if err then
        return refuse(res, http.STATUS.BAD_REQUEST, err:message())
    end
    local new, problem = note.read(body)
    if not new then
        return refuse(res, http.STATUS.UNPROCESSABLE, problem)
    end
    local id = uuid.v7()
    local notes, failed = store.get("app:notes")
    if failed then
        return nil, failed
    end
    notes:set(id, new)
    res:set_status(http.STATUS.CREATED)
    res:set_header("Location", "/notes/" .. id)
    res:write_json(new)
end

local function read()
    local req, res = http.request(), http.response()
    local notes, failed = store.get("app:notes")
    if failed then
        return nil, failed
    end
    local found = notes:get(req:param("id"))
    if not found then
        return refuse(res, http.STATUS.NOT_FOUND, "there is no such note")
    end
    res:write_json(found)
end

local function remove()
    local req, res = http.request(), http.response()
    local notes, failed = store.get("app:notes")
    if failed then
        return nil, failed
    end
    if not notes:delete(req:param("id")) then
        return refuse(res, http.STATUS.NOT_FOUND, "there is no such note")
    end
    res:set_status(http.STATUS.NO_CONTENT)
end

return { create = create, read = read, remove = remove }
