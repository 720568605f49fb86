local native = ...
local module = {}
for name, value in pairs(native) do
    local group, field = name:match("^([%w_]+)%.([%w_]+)$")
    if group then
        module[group] = module[group] or {}
        module[group][field] = value
    else
        module[name] = value
    end
end
return module
