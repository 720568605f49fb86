local check = require("check")
local funcs = require("funcs")
local tty = require("tty")

local text, style = tty.text, tty.style

-- Shows escapes as text.
local function shown(value)
    return (value:gsub("\27", "^"))
end

local function rendered(made, ...)
    return shown(made:render(...))
end

check.case("text is measured as it is seen", function()
    check.equal(text.width("hello"), 5)
    check.equal(text.width("a\nlonger\nb"), 6)
    check.equal(text.width("\27[1;31mred\27[0m"), 3)
    check.equal(text.width("日本"), 4)
    check.equal(text.width("e\u{301}"), 1)
    check.equal(text.width("😀"), 2)
    check.equal(text.width("\xff\xfe"), 2)
    check.equal(text.width(""), 0)
    check.equal(text.height("a\nb\nc"), 3)
    check.equal(text.height(""), 1)
    check.equal({ text.size("hello\nworld!") }, { 6, 2 })
    check.equal(text.max_width({ "short", "a longer string" }), 15)
    check.equal(text.max_height({ "one\ntwo", "single" }), 2)
end)

check.case("blocks are put side by side, and on top of each other", function()
    check.equal(text.join_horizontal(text.position.TOP, "a\nbb", "1\n2\n3"), "a 1\nbb2\n  3")
    check.equal(text.join_horizontal(text.position.BOTTOM, "a", "1\n2"), " 1\na2")
    check.equal(text.join_vertical(text.position.CENTER, "a", "bbb"), " a \nbbb")
    check.equal(text.join_vertical(text.position.RIGHT, "a", "bb"), " a\nbb")
    check.equal(text.join_horizontal(0), "")
end)

check.case("text is placed in more room", function()
    check.equal(text.place(5, 3, text.position.CENTER, text.position.CENTER, "x"), "     \n  x  \n     ")
    check.equal(text.place_horizontal(4, text.position.RIGHT, "a\nbb"), "   a\n  bb")
    check.equal(text.place_vertical(3, text.position.BOTTOM, "a"), " \n \na")
    check.equal(text.place(1, 1, 0, 0, "wide"), "wide")
end)

check.case("text is decorated and colored", function()
    check.equal(rendered(style(), "plain", "text"), "plain text")
    check.equal(rendered(style():bold(), "x"), "^[1mx^[0m")
    check.equal(rendered(style():bold():bold(false), "x"), "x")
    check.equal(rendered(style():bold():italic():underline():strikethrough():faint():blink():reverse(), "x"), "^[1;2;3;4;5;7;9mx^[0m")
    check.equal(rendered(style():foreground("#FF8000"), "x"), "^[38;2;255;128;0mx^[0m")
    check.equal(rendered(style():foreground("#fff"):background("9"), "x"), "^[38;2;255;255;255;101mx^[0m")
    check.equal(rendered(style():foreground("red"):background("201"), "x"), "^[31;48;5;201mx^[0m")
    check.equal(rendered(style():bold(), "a\nb"), "^[1ma^[0m\n^[1mb^[0m")
    -- What ends inside goes on around it.
    check.equal(rendered(style():bold(), "a" .. style():foreground("1"):render("b") .. "c"), "^[1ma^[31mb^[0m^[1mc^[0m")
end)

check.case("a style does not change", function()
    local plain = style()
    local bold = plain:bold()
    check.equal(rendered(plain, "x"), "x")
    check.equal(rendered(bold:copy(), "x"), rendered(bold, "x"))
end)

check.case("text has width, height and padding", function()
    check.equal(rendered(style():width(5), "ab"), "ab   ")
    check.equal(rendered(style():width(5):align(tty.align.RIGHT), "ab"), "   ab")
    check.equal(rendered(style():width(6):align(tty.align.CENTER), "ab"), "  ab  ")
    check.equal(rendered(style():height(3), "a"), "a\n \n ")
    check.equal(rendered(style():height(3):align_vertical(1), "a"), " \n \na")
    check.equal(rendered(style():padding(1), "x"), "   \n x \n   ")
    check.equal(rendered(style():padding(0, 2), "x"), "  x  ")
    check.equal(rendered(style():padding(0, 1, 1), "x"), " x \n   ")
    check.equal(rendered(style():padding(0, 0, 0, 3), "x"), "   x")
    check.equal(rendered(style():margin(1, 1), "x"), "   \n x \n   ")
    check.equal(rendered(style():background("1"):padding(0, 1), "x"), "^[41m ^[0m^[41mx^[0m^[41m ^[0m")
    check.equal(rendered(style():inline():padding(3), "a\nb"), "ab")
end)

check.case("long lines are broken at spaces", function()
    check.equal(rendered(style():width(10), "the quick brown fox"), "the quick \nbrown fox ")
    check.equal(rendered(style():width(4), "abcdefghij"), "abcd\nefgh\nij  ")
    check.equal(rendered(style():width(4), "日本語"), "日本\n語  ")
    check.equal(rendered(style():max_width(3), "abcdef\ngh"), "abc\ngh ")
    check.equal(rendered(style():bold():max_width(2), "abc"), "^[1mab^[0m")
    check.equal(rendered(style():max_height(1), "a\nb"), "a")
end)

check.case("text has borders", function()
    check.equal(rendered(style():border(tty.borders.ROUNDED), "hi"), "╭──╮\n│hi│\n╰──╯")
    check.equal(rendered(style():border(tty.borders.DOUBLE, true, false), "hi"), "══\nhi\n══")
    check.equal(rendered(style():border(tty.borders.NORMAL, false, false, true, true), "a"), "│a\n└─")
    check.equal(rendered(style():border(tty.borders.THICK):border_foreground("1", "2"), "a"), "^[31m┏━┓^[0m\n^[32m┃^[0ma^[32m┃^[0m\n^[31m┗━┛^[0m")
    check.equal(rendered(style():border(tty.borders.HIDDEN):border_background("4"), "a"), "^[44m   ^[0m\n^[44m ^[0ma^[44m ^[0m\n^[44m   ^[0m")
    local box = style():border(tty.borders.ROUNDED):width(10):padding(0, 1)
    check.equal(box:render("Hello", "World"), "╭──────────╮\n│ Hello    │\n│ World    │\n╰──────────╯")
end)

check.case("keys are bound", function()
    local function press(key, kind, held)
        local event = { type = "key", key = key, key_type = kind or "runes", action = "press", alt = false, ctrl = false, shift = false }
        for _, name in ipairs(held or {}) do
            event[name] = true
        end
        return event
    end
    local quit = tty.bind({ keys = { "q", "ctrl+c", "shift+tab", "alt++" }, help = { key = "q", desc = "quit" } })
    check.equal(quit:help(), { key = "q", desc = "quit" })
    check.is_true(quit:matches(press("q")))
    check.is_true(quit:matches(press("c", nil, { "ctrl" })))
    check.is_true(quit:matches(press("tab", "tab", { "shift" })))
    check.is_true(quit:matches(press("+", nil, { "alt" })))
    check.equal(quit:matches(press("c")), false)
    check.equal(quit:matches(press("Q", nil, { "shift" })), false)
    check.equal(quit:matches(press("tab", "tab")), false)
    check.equal(quit:matches({ type = "resize" }), false)
    check.equal(quit:matches(nil), false)
    check.equal(tty.bind({ keys = { "Q" } }):matches(press("Q", nil, { "shift" })), true)
    check.equal(quit:set_enabled(false), quit)
    check.equal(quit:is_enabled(), false)
    check.equal(quit:matches(press("q")), false)
    check.raises("keys", tty.bind, { keys = 7 })
    check.raises("strings", tty.bind, { keys = { 7 } })
end)

check.case("what makes no sense raises", function()
    for _, name in ipairs({ "width", "height", "max_width", "max_height", "padding", "margin", "align", "border", "foreground", "border_foreground" }) do
        check.raises("", function()
            style()[name](style(), {})
        end)
    end
    check.raises("color", function()
        style():foreground("nothing")
    end)
    check.raises("one to four", function()
        style():padding()
    end)
    check.raises("render", function()
        style():render({})
    end)
    check.raises("string expected", text.width, 7)
    check.raises("from 0 to 1", text.join_horizontal, 2, "a")
end)

check.case("without a terminal there are styles and nothing else", function()
    local got = assert(funcs.call("tty_module:elsewhere"))
    check.equal(got.text, "\27[1mx\27[0m")
    for name, kind in pairs(got.kinds) do
        check.equal(kind, "Unavailable", name)
    end
    -- This process is on a terminal host, but what it reads from is no terminal.
    check.fails("Unavailable", tty.start())
    check.fails("Invalid", tty.mouse(true))
    check.is_true((tty.stop()))
end)

return { main = check.main }
