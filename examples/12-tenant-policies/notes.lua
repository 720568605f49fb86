local store = require("store")

-- Neither function asks who calls: the host does.
local function write(key: string, text: string): (boolean?, error?)
    local notes, err = store.get("app:notes")
    if err then
        return nil, err
    end
    return notes:set(key, text)
end

local function read(key: string): (string?, error?)
    local notes, err = store.get("app:notes")
    if err then
        return nil, err
    end
    return notes:get(key)
end

return { write = write, read = read }
