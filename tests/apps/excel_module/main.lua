local archive = require("archive")
local excel = require("excel")
local fs = require("fs")
local check = require("check")
local streams = require("streams")

local sink, source = streams.sink, streams.source

local fixtures = assert(fs.get("excel_module:fixtures"))
local out = assert(fs.get("excel_module:out"))

local function sample(name)
    local file = assert(fixtures:open(name, "r"))
    local book = assert(excel.open(file))
    file:close()
    return book
end

-- Writes a workbook and opens what came of it.
local function again(book)
    local to = sink()
    check.is_nil(book:write_to(to))
    return assert(excel.open(source(to.all(), 1000)))
end

local RELATED = [[<Relationship Id="r%d" Type="http://x/%s" Target="%s"/>]]

-- Makes a file of the parts of a workbook; `parts` has the sheet and what differs.
local function made(parts)
    local to = sink()
    local writer = assert(archive.create(to, { format = "zip" }))
    local rels = "<Relationships>" .. RELATED:format(1, "worksheet", "worksheets/sheet1.xml") .. RELATED:format(2, "sharedStrings", "/xl/sharedStrings.xml")
        .. RELATED:format(3, "styles", "styles.xml") .. "</Relationships>"
    local files = {
        ["_rels/.rels"] = "<Relationships>" .. RELATED:format(1, "officeDocument", "xl/workbook.xml") .. "</Relationships>",
        ["xl/workbook.xml"] = [[<workbook><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>]],
        ["xl/_rels/workbook.xml.rels"] = rels,
    }
    for name, text in pairs(parts) do
        files[name] = text
    end
    for name, text in pairs(files) do
        assert(writer:add(name, text))
    end
    assert(writer:close())
    return to.all()
end

local function sheet(rows)
    return "<worksheet><sheetData>" .. rows .. "</sheetData></worksheet>"
end

local function opened(parts)
    return excel.open(source(made(parts), 65536))
end

local function of_sheet(rows)
    return assert(opened({ ["xl/worksheets/sheet1.xml"] = sheet(rows) }))
end

check.case("a new workbook has one sheet, and more that are added", function()
    local book = assert(excel.new())
    check.equal(book:get_sheet_list(), { "Sheet1" })
    check.equal(book:new_sheet("Summary"), 1)
    check.equal(book:new_sheet("Details"), 2)
    check.equal(book:new_sheet("Summary"), 1)
    check.equal(book:new_sheet("summary"), 1)
    check.equal(book:get_sheet_list(), { "Sheet1", "Summary", "Details" })
    check.is_nil(book:close())
end)

check.case("cells are set, and shown as text", function()
    local book = assert(excel.new())
    book:new_sheet("Data")
    for cell, value in pairs({ A1 = "Name", B1 = 95, C1 = 29.99, D1 = true, E1 = false, AA1 = "far", B3 = "below", A5 = 1 / 3 }) do
        check.is_nil(book:set_cell_value("Data", cell, value))
    end
    local rows = assert(book:get_rows("Data"))
    check.equal(#rows, 5)
    check.equal({ table.unpack(rows[1], 1, 5) }, { "Name", "95", "29.99", "TRUE", "FALSE" })
    check.equal(#rows[1], 27)
    check.equal(rows[1][26], "")
    check.equal(rows[1][27], "far")
    check.equal(rows[2], {})
    check.equal(rows[3], { "", "below" })
    check.equal(rows[5], { "0.333333333333333" })
    check.is_nil(book:set_cell_value("Data", "A5", nil))
    check.equal(#assert(book:get_rows("Data")), 3)
    check.equal(book:get_rows("Sheet1"), {})
end)

check.case("a workbook of another program is read", function()
    local book = sample("sample.xlsx")
    check.equal(book:get_sheet_list(), { "Sales & more", "Second", "Empty" })
    check.equal(book:get_rows("sales & MORE"), {
        { "Name", "Amount", "When", "Paid", "Share" },
        { "Wärme <1>", "1,234.50", "2024-01-02 13:05", "TRUE", "26%" },
        {},
        { "line\nbreak", "-0.1", "", "", "", "a bold end" },
        { "", "", "29 Feb 2024" },
        { "1E+20", "0.3", "30:00:00" },
    })
    check.equal(#assert(book:get_rows("Second"))[3], 27)
    check.equal(book:get_rows("Empty"), {})
    check.equal(sample("mac.xlsx"):get_rows("Sheet"), { { "2024-01-02" } })
end)

check.case("an opened workbook that is changed keeps its values and how its numbers are shown", function()
    local book = sample("sample.xlsx")
    check.is_nil(book:set_cell_value("Sales & more", "B2", 2))
    check.is_nil(book:set_cell_value("Sales & more", "A7", "new"))
    book:new_sheet("More")
    local copy = again(book)
    check.equal(copy:get_sheet_list(), { "Sales & more", "Second", "Empty", "More" })
    local rows = assert(copy:get_rows("Sales & more"))
    check.equal(rows[2], { "Wärme <1>", "2.00", "2024-01-02 13:05", "TRUE", "26%" })
    check.equal(rows[4][6], "a bold end")
    check.equal(rows[7], { "new" })
    check.equal(copy:get_rows("Second"), book:get_rows("Second"))
    check.equal(again(sample("mac.xlsx")):get_rows("Sheet"), { { "2024-01-02" } })
end)

check.case("what is written is read again, whatever the text", function()
    local book = assert(excel.new())
    local texts = { " spaces ", "<&>\"'", "a\r\nb\tc", "\0\1\31", "_x000D_", "_xABC", "日本 😀", "=1+1", "007", ("x"):rep(32767) }
    for row, text in ipairs(texts) do
        check.is_nil(book:set_cell_value("Sheet1", "B" .. row, text))
    end
    for row, number in ipairs({ 0, -1.5, 1e300, 5e-324, 123456789012, 2 ^ 53 }) do
        check.is_nil(book:set_cell_value("Sheet1", "C" .. row, number))
    end
    check.equal(again(book):get_rows("Sheet1"), book:get_rows("Sheet1"))
    for row, text in ipairs(texts) do
        check.equal(book:get_rows("Sheet1")[row][2], text)
    end
end)

check.case("a workbook is written to a file and opened from it", function()
    local book = assert(excel.new())
    book:set_cell_value("Sheet1", "A1", "Month")
    local file = assert(out:open("report.xlsx", "w"))
    check.is_nil(book:write_to(file))
    file:close()
    file = assert(out:open("report.xlsx", "r"))
    local copy = assert(excel.open(file))
    check.equal(copy:get_rows("Sheet1"), { { "Month" } })
    file:close()
    check.equal(copy:get_rows("Sheet1"), { { "Month" } })
end)

check.case("rows come batch by batch", function()
    local book = assert(excel.new())
    for row = 1, 25 do
        book:set_cell_value("Sheet1", "A" .. row, row)
    end
    book:set_cell_value("Sheet1", "A30", "last")
    for _, each in ipairs({ book, again(book) }) do
        local cursor = assert(each:rows("Sheet1"))
        check.equal(cursor:read(), { { "1" } })
        check.equal(#assert(cursor:read(10)), 10)
        local rest = assert(cursor:read(10000))
        check.equal(#rest, 19)
        check.equal({ rest[14], rest[15], rest[18], rest[19] }, { { "25" }, {}, {}, { "last" } })
        for _ = 1, 2 do
            local batch, err = cursor:read(5)
            check.is_nil(batch)
            check.is_nil(err)
        end
        check.is_nil(cursor:close())
        check.is_nil(cursor:close())
    end
end)

check.case("a cursor keeps empty rows at the end, and ends with its workbook", function()
    local book = of_sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="3"></row><row/>')
    check.equal(book:get_rows("One"), { { "1" } })
    local cursor = assert(book:rows("One"))
    check.equal(cursor:read(10), { { "1" }, {}, {}, {} })
    cursor = assert(book:rows("One"))
    book:close()
    check.fails("Internal", cursor:read(1))
end)

check.case("a batch ends where an answer would be too large", function()
    local book = assert(excel.new())
    for row = 1, 400 do
        book:set_cell_value("Sheet1", "A" .. row, ("x"):rep(30000))
    end
    local cursor, count = assert(book:rows("Sheet1")), 0
    repeat
        local batch, err = cursor:read(100)
        check.is_nil(err)
        count = count + (batch and #batch or 0)
    until not batch
    check.equal(count, 400)
    check.fails("LimitExceeded", book:get_rows("Sheet1"))
end)

check.case("cells of all types are understood", function()
    local book = assert(opened({
        ["xl/sharedStrings.xml"] = [[<sst uniqueCount="99999999999999"><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r><rPh><t>no</t></rPh></si><si/></sst>]],
        ["xl/styles.xml"] = [[<styleSheet><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>]],
        ["xl/worksheets/sheet1.xml"] = sheet([[<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>9</v></c><c t="str"><f>A1</f><v>x&amp;y</v></c><c t="e"><v>#DIV/0!</v></c><c s="1"><v>45292</v></c><c s="7"><v>7</v></c><c t="b"><v>0</v></c><c t="d"><v>2024-01-02</v></c><c><v>nan</v></c></row>]]),
    }))
    check.equal(book:get_rows("One"), { { "one", "two", "", "", "x&y", "#DIV/0!", "01-01-24", "7", "FALSE", "2024-01-02", "nan" } })
    check.equal(again(book):get_rows("One"), book:get_rows("One"))
end)

check.case("what is no workbook is refused", function()
    for _, bytes in ipairs({ "", "text", "\xd0\xcf\x11\xe0" .. ("\0"):rep(100), made({ ["xl/workbook.xml"] = "" }):sub(1, -30) }) do
        check.fails("Internal", excel.open(source(bytes, 100)))
    end
    check.fails("Internal", opened({ ["xl/workbook.xml"] = "<workbook>" }))
    check.fails("Internal", opened({ ["xl/workbook.xml"] = [[<!DOCTYPE w [<!ENTITY a "b">]><workbook/>]] }))
    check.fails("Internal", opened({ ["xl/workbook.xml"] = [[<workbook><sheet name="a" r:id="nowhere"/></workbook>]] }))
    for _, value in ipairs({ 1, "text", true, {}, print, errors.new("x") }) do
        check.fails("Internal", excel.open(value))
    end
    check.fails("Internal", of_sheet('<row r="2"/><row r="1"/>'):get_rows("One"))
    check.fails("Internal", of_sheet('<row><c r="XFE1"><v>1</v></c></row>'):get_rows("One"))
    check.fails("Internal", of_sheet("<row><c><v>1</v>"):get_rows("One"))
    check.fails("Internal", opened({}):get_rows("One"))
end)

check.case("a file that unfolds without end stops at a limit", function()
    local zeros = ("0"):rep(1 << 20)
    check.fails("LimitExceeded", opened({ ["xl/sharedStrings.xml"] = "<sst><si><t>" .. zeros .. "</t></si></sst>" }))
    check.fails("LimitExceeded", of_sheet("<row><c><v>" .. zeros .. "</v></c></row>"):get_rows("One"))
    check.fails("LimitExceeded", of_sheet("<row><c " .. zeros .. "/></row>"):get_rows("One"))
    check.fails("LimitExceeded", of_sheet(("<a>"):rep(300)):get_rows("One"))
    check.fails("LimitExceeded", of_sheet(('<row><c r="XFD1"><v>1</v></c></row>'):rep(100)):get_rows("One"))
    -- A row at the end of the sheet is no reason to make all those before it.
    check.fails("LimitExceeded", of_sheet('<row r="1048576"><c><v>1</v></c></row>'):get_rows("One"))
    local cursor = assert(of_sheet('<row r="1048576"><c><v>1</v></c></row>'):rows("One"))
    check.equal(#assert(cursor:read(10000)), 10000)
end)

check.case("names, places and values that do not exist are refused", function()
    local book = assert(excel.new())
    for _, name in ipairs({ "", ("n"):rep(32), "a/b", "a:b", "[a]", "a?", "'a'" }) do
        check.fails("Invalid", book:new_sheet(name))
    end
    check.fails("Internal", book:get_rows("Nowhere"))
    check.fails("Internal", book:rows("Nowhere"))
    check.fails("Internal", nil, book:set_cell_value("Nowhere", "A1", 1))
    for _, cell in ipairs({ "", "A", "1", "A0", "XFE1", "A1048577", "A1:B2" }) do
        check.fails("Internal", nil, book:set_cell_value("Sheet1", cell, 1))
    end
    for _, value in ipairs({ {}, 0 / 0, math.huge, "\xff" }) do
        check.fails("Invalid", nil, book:set_cell_value("Sheet1", "A1", value))
    end
    check.fails("LimitExceeded", nil, book:set_cell_value("Sheet1", "A1", ("x"):rep(32768)))
    check.fails("Invalid", assert(book:rows("Sheet1")):read(0))
    check.fails("Internal", nil, book:write_to(7))
end)

check.case("a closed workbook does nothing more", function()
    local book = assert(excel.new())
    check.is_nil(book:close())
    check.is_nil(book:close())
    check.fails("Internal", book:get_sheet_list())
    check.fails("Internal", book:new_sheet("a"))
    check.fails("Internal", book:get_rows("Sheet1"))
    check.fails("Internal", book:rows("Sheet1"))
    check.fails("Internal", nil, book:set_cell_value("Sheet1", "A1", 1))
    check.fails("Internal", nil, book:write_to(sink()))
end)

check.case("a destination that takes no more ends the writing", function()
    local book = assert(excel.new())
    check.fails("Internal", nil, book:write_to({ write = function()
        return nil
    end }))
    check.fails("Invalid", nil, book:write_to({ write = function()
        return nil, errors.new({ message = "full", kind = errors.INVALID })
    end }))
end)

check.case("a workbook is saved where it came from", function()
    local function write(book)
        local file = assert(out:open("same.xlsx", "w"))
        check.is_nil(book:write_to(file))
        file:close()
    end
    local function read()
        local file = assert(out:open("same.xlsx", "r"))
        local book = assert(excel.open(file))
        file:close()
        return book
    end
    local book = excel.new()
    check.is_nil(book:set_cell_value("Sheet1", "A1", "before"))
    write(book)
    book = read()
    book:new_sheet("Two")
    check.is_nil(book:set_cell_value("Two", "A1", "after"))
    write(book)
    book = read()
    check.equal(book:get_rows("Sheet1"), { { "before" } })
    check.equal(book:get_rows("Two"), { { "after" } })
end)

return { main = check.main }
