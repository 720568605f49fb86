-- What the table holds is known only when the chunk runs.
local methods = {}
for _, name in ipairs({ "main", "other" }) do
    methods[name] = function() end
end
return methods
