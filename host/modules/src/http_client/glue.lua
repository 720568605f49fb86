-- Files of a form whose content comes from a reader that the host cannot read by itself.
local native, kit = ...

local module = {}
for name, plain in pairs(native) do
    module[name] = plain
end
module.spool, module.sends = nil, nil

local function has_files(options)
    return type(options) == "table" and options.files ~= nil
end

-- Tail calls: errors name the line of the program.
for _, name in ipairs({ "get", "post", "put", "patch", "delete", "head", "options" }) do
    local plain = native[name]
    module[name] = function(...)
        local url, options = ...
        if not has_files(options) then
            return plain(...)
        end
        local err
        options, err = kit.part("readers", native, kit)(options)
        if err then
            return nil, err
        end
        return plain(url, options)
    end
end

function module.request(...)
    local method, url, options = ...
    if not has_files(options) then
        return native.request(...)
    end
    local err
    options, err = kit.part("readers", native, kit)(options)
    if err then
        return nil, err
    end
    return native.request(method, url, options)
end

return module
