-- One function for each endpoint.

local http = require("http")
local notes = require("notes")

local STATUS: {[string]: integer} = {
    [errors.INVALID] = http.STATUS.BAD_REQUEST,
    [errors.NOT_FOUND] = http.STATUS.NOT_FOUND,
    [errors.ALREADY_EXISTS] = http.STATUS.CONFLICT,
}

-- Answers with a result, or with what the client did wrong. Any other error is ours: it becomes a 500, and a line in the log.
local function answer(status: integer, result: any, err: error?): (nil, error?)
    local res = http.response()
    if not err then
        res:set_status(status)
        if status ~= http.STATUS.NO_CONTENT then
            res:write_json(result)
        end
        return nil
    end
    local code = STATUS[err:kind()]
    if not code then
        return nil, err
    end
    res:set_status(code)
    res:write_json({ error = err:kind(), message = err:message() })
    return nil
end

local function list()
    return answer(http.STATUS.OK, notes.list())
end

local function create()
    local body, unread = http.request():body_json()
    if unread then
        return answer(0, nil, unread)
    end
    local note, err = notes.create(body)
    if note then
        http.response():set_header("Location", "/notes/" .. note.id)
    end
    return answer(http.STATUS.CREATED, note, err)
end

local function read()
    return answer(http.STATUS.OK, notes.get(http.request():param("id")))
end

local function replace()
    local req = http.request()
    local body, unread = req:body_json()
    if unread then
        return answer(0, nil, unread)
    end
    return answer(http.STATUS.OK, notes.replace(req:param("id"), body))
end

local function remove()
    return answer(http.STATUS.NO_CONTENT, notes.remove(http.request():param("id")))
end

return { list = list, create = create, read = read, replace = replace, remove = remove }
