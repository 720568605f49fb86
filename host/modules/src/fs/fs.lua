-- Methods of volumes and files that are easier to say in Lua.
local native, kit = ...

local FS = kit.methods("FS")
local File = kit.methods("File")

local list = FS.readdir
function FS.readdir(self, path)
    local entries, err = list(self, path)
    if not entries then
        return nil, err
    end
    local index = 0
    return function()
        index = index + 1
        return entries[index]
    end
end

-- Data may come from anything that can be read.
local write = FS.writefile
function FS.writefile(self, path, data, mode)
    if type(data) ~= "userdata" or kit.is_error(data) then
        return write(self, path, data, mode)
    end
    local file, err = self:open(path, mode or "w")
    if not file then
        return nil, err
    end
    local ok
    repeat
        ok = true
        local chunk
        chunk, err = data:read(65536)
        if chunk and #chunk > 0 then
            ok, err = file:write(chunk)
        end
    until not ok or err or not chunk or #chunk == 0
    file:close()
    if err then
        return nil, err
    end
    return true
end
FS.write_file = FS.writefile

local scanner
function File.scanner(self, split)
    scanner = scanner or kit.part("scanner")
    return scanner(self, split)
end

return { get = native.get, type = native.type, seek = native.seek }
