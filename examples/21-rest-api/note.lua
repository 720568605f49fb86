-- What a note is, and how one is made of what a client sent.
local note = {}

type Note = { title: string, text: string, tags: {string} }

local MAX_TITLE = 80

function note.read(value: any): (Note?, string?)
    if type(value) ~= "table" then
        return nil, "a note is an object"
    end
    local title, text, tags = value.title, value.text or "", value.tags or {}
    if type(title) ~= "string" or title == "" then
        return nil, "title must be a text that is not empty"
    elseif #title > MAX_TITLE then
        return nil, "title has more than " .. MAX_TITLE .. " bytes"
    elseif type(text) ~= "string" then
        return nil, "text must be a text"
    elseif type(tags) ~= "table" then
        return nil, "tags must be a list"
    end
    local list: {string} = {}
    for index, tag in ipairs(tags) do
        if type(tag) ~= "string" then
            return nil, "tags[" .. index .. "] must be a text"
        end
        table.insert(list, tag)
    end
    return { title = title, text = text, tags = list }
end

return note
