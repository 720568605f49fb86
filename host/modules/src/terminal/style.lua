-- Styles of text: what they are, and how text looks in them. A style never changes; each method gives another one.
local measure = ...

local BORDERS = {
    normal = { "─", "│", "┌", "┐", "└", "┘" },
    rounded = { "─", "│", "╭", "╮", "╰", "╯" },
    thick = { "━", "┃", "┏", "┓", "┗", "┛" },
    double = { "═", "║", "╔", "╗", "╚", "╝" },
    hidden = { " ", " ", " ", " ", " ", " " },
}
local NAMES = { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" }
local DECORATIONS = { "bold", "faint", "italic", "underline", "blink", "reverse", "strikethrough" }
local CODES = { bold = "1", faint = "2", italic = "3", underline = "4", blink = "5", reverse = "7", strikethrough = "9" }

local Style = {}
Style.__index, Style.__name, Style.__metatable = Style, "Style", false

-- What each style says, which its methods cannot change.
local properties = setmetatable({}, { __mode = "k" })

local function new(said)
    local style = setmetatable({}, Style)
    properties[style] = said or {}
    return style
end

local function with(self, name, value)
    local said = {}
    for key, old in pairs(properties[self]) do
        said[key] = old
    end
    if name then
        said[name] = value
    end
    return new(said)
end

-- Reads a color and gives its codes, with 30 for text and 40 for what is behind it.
local function color(text, base)
    if type(text) ~= "string" then
        error("bad argument (a color expected, got " .. type(text) .. ")", 3)
    end
    local number = tonumber(text:match("^%d+$"))
    for index, name in ipairs(NAMES) do
        if text:lower() == name then
            number = index - 1
        elseif text:lower() == "bright" .. name or text:lower() == "bright_" .. name then
            number = index + 7
        end
    end
    local r, g, b = text:match("^#(%x%x)(%x%x)(%x%x)$")
    if not r then
        r, g, b = text:match("^#(%x)(%x)(%x)$")
        if r then
            r, g, b = r .. r, g .. g, b .. b
        end
    end
    if r then
        return ("%d;2;%d;%d;%d"):format(base + 8, tonumber(r, 16), tonumber(g, 16), tonumber(b, 16))
    elseif not number or number > 255 then
        error("bad argument (`" .. text:sub(1, 40) .. "` is no color: write \"#FF0000\", \"9\" or \"red\")", 3)
    elseif number < 8 then
        return tostring(base + number)
    elseif number < 16 then
        return tostring(base + 52 + number)
    end
    return ("%d;5;%d"):format(base + 8, number)
end

for _, name in ipairs(DECORATIONS) do
    Style[name] = function(self, enable)
        return with(self, name, enable ~= false or nil)
    end
end

function Style.inline(self, enable)
    return with(self, "inline", enable ~= false or nil)
end

function Style.foreground(self, value)
    return with(self, "foreground", color(value, 30))
end

function Style.background(self, value)
    return with(self, "background", color(value, 40))
end

for _, name in ipairs({ "width", "height", "max_width", "max_height" }) do
    Style[name] = function(self, count)
        return with(self, name, measure.check_count(count, 1))
    end
end

-- Spreads one to four values over the sides: top, right, bottom, left.
local function sides(check, ...)
    local count, given = select("#", ...), { ... }
    if count < 1 or count > 4 then
        error("one to four values expected, got " .. count, 3)
    end
    for index = 1, count do
        given[index] = check(given[index], index)
    end
    local top, right, bottom = given[1], given[2], given[3]
    if count == 1 then
        return { top, top, top, top }
    elseif count == 2 then
        return { top, right, top, right }
    elseif count == 3 then
        return { top, right, bottom, right }
    end
    return given
end

function Style.padding(self, ...)
    return with(self, "padding", sides(measure.check_count, ...))
end

function Style.margin(self, ...)
    return with(self, "margin", sides(measure.check_count, ...))
end

function Style.align(self, position)
    return with(self, "align", measure.check_position(position, 1))
end

function Style.align_vertical(self, position)
    return with(self, "align_vertical", measure.check_position(position, 1))
end

local function truth(value)
    return value and true or false
end

function Style.border(self, name, ...)
    if type(name) ~= "string" or not BORDERS[name] then
        error("bad argument #1 (a border expected, such as tty.borders.ROUNDED)", 2)
    end
    local shown = select("#", ...) > 0 and sides(truth, ...) or { true, true, true, true }
    return with(with(self, "border", name), "border_sides", shown)
end

function Style.border_foreground(self, ...)
    return with(self, "border_foreground", sides(function(value)
        return color(value, 30)
    end, ...))
end

function Style.border_background(self, ...)
    return with(self, "border_background", sides(function(value)
        return color(value, 40)
    end, ...))
end

function Style.copy(self)
    return with(self)
end

-- Puts codes around text; codes that end inside of it begin again.
local function paint(codes, text)
    if #codes == 0 or text == "" then
        return text
    end
    local start = "\27[" .. table.concat(codes, ";") .. "m"
    return start .. text:gsub("\27%[0?m", "\27[0m" .. start) .. "\27[0m"
end

-- Breaks lines at spaces so that none is wider; words that are wider alone are cut.
local function wrap(list, width)
    local wrapped = {}
    for _, line in ipairs(list) do
        local done, word, gap = "", "", ""
        local done_width, word_width, gap_width = 0, 0, 0
        local function finish()
            wrapped[#wrapped + 1] = done
            done, done_width, gap, gap_width = "", 0, "", 0
        end
        local function take_word()
            if done_width + gap_width + word_width > width and done_width > 0 then
                finish()
            end
            done, done_width = done .. gap .. word, done_width + gap_width + word_width
            word, word_width, gap, gap_width = "", 0, "", 0
        end
        for piece, each in measure.pieces(line) do
            if piece == " " then
                take_word()
                gap, gap_width = gap .. piece, gap_width + 1
            else
                if word_width + each > width and word_width > 0 then
                    take_word()
                    finish()
                end
                word, word_width = word .. piece, word_width + each
            end
        end
        take_word()
        finish()
    end
    return wrapped
end

-- Cuts a line where it gets wider. Escape sequences stay, so that colors end.
local function cut(line, width)
    local kept, used = {}, 0
    for piece, each in measure.pieces(line) do
        if each == 0 or used + each <= width then
            kept[#kept + 1] = piece
        end
        used = used + each
    end
    return table.concat(kept)
end

local function frame(said, list)
    local set, shown = BORDERS[said.border], said.border_sides
    local width = measure.widest(list)
    local function side(number, text)
        local codes = {}
        codes[#codes + 1] = said.border_foreground and said.border_foreground[number]
        codes[#codes + 1] = said.border_background and said.border_background[number]
        return paint(codes, text)
    end
    local function edge(number, first, last)
        return side(number, (shown[4] and first or "") .. set[1]:rep(width) .. (shown[2] and last or ""))
    end
    local framed = {}
    if shown[1] then
        framed[1] = edge(1, set[3], set[4])
    end
    for _, line in ipairs(list) do
        line = measure.pad(line, width, 0)
        framed[#framed + 1] = (shown[4] and side(4, set[2]) or "") .. line .. (shown[2] and side(2, set[2]) or "")
    end
    if shown[3] then
        framed[#framed + 1] = edge(3, set[5], set[6])
    end
    return framed
end

function Style.render(self, ...)
    local said, parts = properties[self], {}
    for index = 1, select("#", ...) do
        local part = select(index, ...)
        if type(part) ~= "string" and type(part) ~= "number" then
            error("bad argument #" .. index .. " to 'render' (string expected, got " .. type(part) .. ")", 2)
        end
        parts[index] = tostring(part)
    end
    local text = table.concat(parts, " "):gsub("\r\n", "\n"):gsub("\t", "    ")
    local padding = not said.inline and said.padding or { 0, 0, 0, 0 }
    local codes, behind = {}, {}
    for _, name in ipairs(DECORATIONS) do
        if said[name] then
            codes[#codes + 1] = CODES[name]
        end
    end
    codes[#codes + 1] = said.foreground
    codes[#codes + 1] = said.background
    -- What fills gaps has the color behind the text, and nothing else of it.
    behind[#behind + 1] = said.reverse and CODES.reverse or nil
    behind[#behind + 1] = said.reverse and said.foreground or nil
    behind[#behind + 1] = said.background
    local function fill(count)
        return paint(behind, (" "):rep(count))
    end

    local list
    if said.inline then
        list = { (text:gsub("\n", "")) }
    else
        list = measure.lines(text)
        if (said.width or 0) > 0 then
            list = wrap(list, math.max(said.width - padding[2] - padding[4], 1))
        end
    end
    for row, line in ipairs(list) do
        list[row] = paint(codes, line)
    end
    if not said.inline then
        list = measure.stretch(list, (said.height or 0) - padding[1] - padding[3], said.align_vertical or 0)
        local width = math.max((said.width or 0) - padding[2] - padding[4], measure.widest(list))
        if #list > 1 or (said.width or 0) > 0 or padding[1] + padding[3] > 0 then
            for row, line in ipairs(list) do
                list[row] = measure.pad(line, width, said.align or 0, fill)
            end
        end
        for row, line in ipairs(list) do
            list[row] = (padding[4] > 0 and fill(padding[4]) or "") .. line .. (padding[2] > 0 and fill(padding[2]) or "")
        end
        local full = measure.widest(list)
        for _ = 1, padding[1] do
            table.insert(list, 1, full > 0 and fill(full) or "")
        end
        for _ = 1, padding[3] do
            list[#list + 1] = full > 0 and fill(full) or ""
        end
        if said.border then
            list = frame(said, list)
        end
        local margin = said.margin or { 0, 0, 0, 0 }
        full = measure.widest(list) + margin[2] + margin[4]
        for row, line in ipairs(list) do
            list[row] = (" "):rep(margin[4]) .. line .. (" "):rep(margin[2])
        end
        for _ = 1, margin[1] do
            table.insert(list, 1, (" "):rep(full))
        end
        for _ = 1, margin[3] do
            list[#list + 1] = (" "):rep(full)
        end
    end
    if (said.max_width or 0) > 0 then
        for row, line in ipairs(list) do
            list[row] = cut(line, said.max_width)
        end
    end
    local last = #list
    if (said.max_height or 0) > 0 then
        last = math.min(last, said.max_height)
    end
    return table.concat(list, "\n", 1, last)
end

return {
    new = function()
        return new()
    end,
    borders = { NORMAL = "normal", ROUNDED = "rounded", THICK = "thick", DOUBLE = "double", HIDDEN = "hidden" },
}
