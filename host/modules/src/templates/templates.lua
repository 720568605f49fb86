local native = ...
local Set = {__name = "Set", __metatable = false}
Set.__index = Set
function Set:render(...)
    if self.released then return native.released() end
    return native.render(self.id, ...)
end
function Set:release()
    local first = not self.released
    self.released = true
    return first
end
return {
    get = function(...)
        local id, err = native.get(...)
        if err then return nil, err end
        return setmetatable({id = id}, Set)
    end,
}
