-- attack: workbooks full of long texts, which are not in the memory of the process
-- stopped by: quota.memory, to which cells are charged until their workbook is closed
-- modules: excel, funcs, json, time
-- ends: ok

local excel = require("excel")
local expect = require("expect")

local function main()
    local text, books, row = ("x"):rep(32000), { assert(excel.new()) }, 0
    local err, count = expect.until_refused("LimitExceeded", 6000, function()
        row = row + 1
        if row % 1000 == 0 then
            table.insert(books, assert(excel.new()))
        end
        local refused = books[#books]:set_cell_value("Sheet1", "A" .. row, text)
        if refused then
            return nil, refused
        end
        return true
    end)
    assert(err:details().limit == "quota.memory", err:message())
    assert(count < 5000, count)
    -- What is closed is given back.
    for _, book in ipairs(books) do
        assert(book:close() == nil)
    end
    assert(assert(excel.new()):set_cell_value("Sheet1", "A1", text) == nil)
    return true
end

return { main = main }
