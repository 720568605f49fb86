-- How much room text takes on a terminal, with escape sequences that take none, and how pieces are put together.
local WIDE = {
    { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
    { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
}
local NARROW = { { 0x300, 0x36f }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0x1f3fb, 0x1f3ff } }

local function among(ranges, code)
    for _, range in ipairs(ranges) do
        if code >= range[1] and code <= range[2] then
            return true
        end
    end
    return false
end

local function room(code)
    if code < 0x20 or code >= 0x7f and code < 0xa0 or code >= 0x300 and among(NARROW, code) then
        return 0
    end
    return code >= 0x1100 and among(WIDE, code) and 2 or 1
end

-- Gives the pieces of a line one by one, each with its width: characters, and escape sequences, which have none.
local function pieces(line)
    local at = 1
    return function()
        if at > #line then
            return nil
        end
        local from, to = at, nil
        if line:byte(at) == 0x1b then
            to = select(2, line:find("^\27%[[0-?]*[ -/]*[@-~]", at)) or select(2, line:find("^\27%][^\7\27]*\7", at))
                or select(2, line:find("^\27%][^\7\27]*\27\\", at)) or at
            at = to + 1
            return line:sub(from, to), 0
        end
        to = select(2, line:find("^[\0-\x7f\xc2-\xf4][\x80-\xbf]*", at)) or at
        at = to + 1
        local piece = line:sub(from, to)
        local valid = utf8.len(piece) == 1
        return piece, valid and room(utf8.codepoint(piece)) or 1
    end
end

local function lines(text)
    local list = {}
    for line in (text .. "\n"):gmatch("([^\n]*)\n") do
        list[#list + 1] = line
    end
    return list
end

local function line_width(line)
    if not line:find("[\27\x80-\xff]") then
        return #(line:gsub("%c", ""))
    end
    local width = 0
    for _, each in pieces(line) do
        width = width + each
    end
    return width
end

local function widest(list)
    local width = 0
    for _, line in ipairs(list) do
        width = math.max(width, line_width(line))
    end
    return width
end

local function check_text(value, number)
    if type(value) ~= "string" then
        error("bad argument #" .. number .. " (string expected, got " .. type(value) .. ")", 3)
    end
    return value
end

local function check_count(value, number)
    local count = math.type(value) and math.tointeger(value)
    if not count or count < 0 then
        error("bad argument #" .. number .. " (a whole number from 0 on expected)", 3)
    end
    return count
end

-- Reads where something goes: from 0, at the start, to 1, at the end.
local function check_position(value, number)
    if type(value) ~= "number" or not (value >= 0 and value <= 1) then
        error("bad argument #" .. number .. " (a number from 0 to 1 expected)", 3)
    end
    return value
end

-- Puts a line into more room.
local function pad(line, width, position, fill)
    local gap = width - line_width(line)
    if gap <= 0 then
        return line
    end
    fill = fill or function(count)
        return (" "):rep(count)
    end
    local before = math.floor(gap * position)
    return (before > 0 and fill(before) or "") .. line .. (gap > before and fill(gap - before) or "")
end

-- Adds empty lines before and behind a list of lines.
local function stretch(list, height, position)
    local gap = height - #list
    if gap <= 0 then
        return list
    end
    local before, stretched = math.floor(gap * position), {}
    for _ = 1, before do
        stretched[#stretched + 1] = ""
    end
    table.move(list, 1, #list, #stretched + 1, stretched)
    for _ = 1, gap - before do
        stretched[#stretched + 1] = ""
    end
    return stretched
end

local text = { position = { TOP = 0, LEFT = 0, CENTER = 0.5, BOTTOM = 1, RIGHT = 1 } }

function text.width(value)
    return widest(lines(check_text(value, 1)))
end

function text.height(value)
    return #lines(check_text(value, 1))
end

function text.size(value)
    return text.width(value), text.height(value)
end

local function most(list, measure)
    if type(list) ~= "table" then
        error("bad argument #1 (table expected, got " .. type(list) .. ")", 3)
    end
    local found = 0
    for _, value in ipairs(list) do
        found = math.max(found, measure(check_text(value, 1)))
    end
    return found
end

function text.max_width(list)
    return most(list, text.width)
end

function text.max_height(list)
    return most(list, text.height)
end

function text.join_horizontal(position, ...)
    check_position(position, 1)
    local blocks, height = {}, 0
    for index = 1, select("#", ...) do
        local block = lines(check_text((select(index, ...)), index + 1))
        blocks[index], height = block, math.max(height, #block)
    end
    local joined = {}
    for row = 1, height do
        joined[row] = ""
    end
    for _, block in ipairs(blocks) do
        local width = widest(block)
        for row, line in ipairs(stretch(block, height, position)) do
            joined[row] = joined[row] .. pad(line, width, 0)
        end
    end
    return table.concat(joined, "\n")
end

function text.join_vertical(position, ...)
    check_position(position, 1)
    local all = {}
    for index = 1, select("#", ...) do
        local block = lines(check_text((select(index, ...)), index + 1))
        table.move(block, 1, #block, #all + 1, all)
    end
    local width = widest(all)
    for row, line in ipairs(all) do
        all[row] = pad(line, width, position)
    end
    return table.concat(all, "\n")
end

local function across(width, position, value)
    local list = lines(value)
    width = math.max(width, widest(list))
    for row, line in ipairs(list) do
        list[row] = pad(line, width, position)
    end
    return list
end

function text.place_horizontal(width, position, value)
    check_count(width, 1)
    check_position(position, 2)
    return table.concat(across(width, position, check_text(value, 3)), "\n")
end

local function down(height, position, list)
    local width = widest(list)
    list = stretch(list, height, position)
    for row, line in ipairs(list) do
        list[row] = pad(line, width, 0)
    end
    return table.concat(list, "\n")
end

function text.place_vertical(height, position, value)
    check_count(height, 1)
    check_position(position, 2)
    return down(height, position, lines(check_text(value, 3)))
end

function text.place(width, height, horizontal, vertical, value)
    check_count(width, 1)
    check_count(height, 2)
    check_position(horizontal, 3)
    check_position(vertical, 4)
    return down(height, vertical, across(width, horizontal, check_text(value, 5)))
end

return {
    text = text, pieces = pieces, lines = lines, line_width = line_width, widest = widest, pad = pad, stretch = stretch,
    check_count = check_count, check_position = check_position,
}
