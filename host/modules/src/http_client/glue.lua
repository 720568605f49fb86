-- Files of a form whose content comes from a reader that the host cannot read by itself.
local native, kit = ...

local module = {}
for name, plain in pairs(native) do
    module[name] = plain
end
module.spool, module.sends = nil, nil

-- Tail calls: errors name the line of the program.
local function reading(plain, at)
    return function(...)
        local options = select(at, ...)
        if type(options) ~= "table" or options.files == nil then
            return plain(...)
        end
        local args, err = { ... }, nil
        args[at], err = kit.part("readers", native, kit)(options)
        if err then
            return nil, err
        end
        return plain(table.unpack(args, 1, at))
    end
end

for _, name in ipairs({ "get", "post", "put", "patch", "delete", "head", "options" }) do
    module[name] = reading(native[name], 2)
end
module.request = reading(native.request, 3)

return module
