-- What is read comes from where the program may read, and what is written goes to where it may write.
local native, kit = ...

local CHUNK = 65536

local Workbook = kit.methods("Workbook")
local Cursor = kit.methods("Cursor")
local Spool = kit.methods("Spool")
local Packed = kit.methods("Packed")

local pack, set_cell_value, close = Workbook.pack, Workbook.set_cell_value, Workbook.close
Workbook.pack = nil

local function internal(message)
    return errors.new({ message = message, kind = errors.INTERNAL, retryable = false })
end

-- Tells whether a value has a method, whatever it is.
local function has(value, name)
    if type(value) ~= "userdata" and type(value) ~= "table" or kit.is_error(value) then
        return false
    end
    local found, method = pcall(function()
        return value[name]
    end)
    return found and type(method) == "function"
end

local excel = { new = native.new }

function excel.open(source)
    if not has(source, "read") then
        return nil, internal("a workbook is opened from a file or a stream, not from a " .. type(source))
    elseif has(source, "seek") and has(source, "sync") then
        return native.open(source)
    end
    local spool, err = native.spool()
    if not spool then
        return nil, err
    end
    while true do
        local chunk, problem = source:read(CHUNK)
        if problem then
            return nil, problem
        elseif chunk == nil or #chunk == 0 then
            return native.open(spool)
        end
        local ok
        ok, problem = Spool.add(spool, chunk)
        if not ok then
            return nil, problem
        end
    end
end

function Workbook.set_cell_value(self, sheet, cell, value)
    local _, err = set_cell_value(self, sheet, cell, value)
    return err
end

function Workbook.write_to(self, writer)
    if not has(writer, "write") then
        return internal("a workbook is written to a file or a stream, not to a " .. type(writer))
    end
    local packed, err = pack(self)
    if not packed then
        return err
    end
    while true do
        local bytes, problem = Packed.read(packed)
        if problem then
            return problem
        elseif not bytes then
            return nil
        end
        local ok
        ok, problem = writer:write(bytes)
        if not ok then
            return problem or internal("the destination takes no more")
        end
    end
end

function Workbook.close(self)
    local _, err = close(self)
    return err
end

local close_cursor = Cursor.close
function Cursor.close(self)
    local _, err = close_cursor(self)
    return err
end

return excel
