local native = ...
local classes = {Regexp = {}, Differ = {}, TextSplitter = {}}
for name, call in pairs(native) do
    local class, method = name:match("^(%w+):([%w_]+)$")
    if class then
        classes[class][method] = function(self, ...) return call(self[1], ...) end
    end
end
for name, class in pairs(classes) do
    class.__index, class.__name, class.__metatable = class, name, false
end
classes.Regexp.__tostring = function(self) return self[1] end
local function new(class, value, err)
    if err then return nil, err end
    return setmetatable({value}, classes[class])
end
return {
    regexp = {compile = function(...) return new("Regexp", native.compile(...)) end},
    diff = {new = function(...) return new("Differ", native.differ(...)) end},
    splitter = {
        recursive = function(...) return new("TextSplitter", native.recursive(...)) end,
        markdown = function(...) return new("TextSplitter", native.markdown(...)) end,
    },
}
