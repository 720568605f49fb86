-- What is read comes from where the program may read, and what is written goes to where it may write.
local Workbook = kit.methods("Workbook")
local Cursor = kit.methods("Cursor")
local Packed = kit.methods("Packed")

local pack, set_cell_value, close = Workbook.pack, Workbook.set_cell_value, Workbook.close
Workbook.pack = nil

local function internal(message)
    return errors.new({ message = message, kind = errors.INTERNAL, retryable = false })
end

local excel = { new = native.new }

function excel.open(source)
    if not has(source, "read") then
        return nil, internal("a workbook is opened from a file or a stream, not from a " .. type(source))
    elseif is_file(source) then
        return native.open(source)
    end
    local spool, err = spooled(source)
    if not spool then
        return nil, err
    end
    return native.open(spool)
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
    local _, problem = copied(Packed.read, packed, writer)
    return problem
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
