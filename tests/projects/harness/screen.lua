-- The rows of `tty`: they run where there is no terminal.

-- Adds them; `kit` has the functions that rows are made with.
local function add(kit)
    local row, methods, call, of = kit.row, kit.methods, kit.call, kit.of

    for name, args in pairs({
        bind = { { keys = { "q" } } }, style = {}, ["text.width"] = { "a" }, ["text.height"] = { "a" }, ["text.size"] = { "a" },
        ["text.max_width"] = { { "a" } }, ["text.max_height"] = { { "a" } }, ["text.join_horizontal"] = { 0, "a", "b" },
        ["text.join_vertical"] = { 0, "a", "b" }, ["text.place"] = { 3, 3, 0.5, 0.5, "a" }, ["text.place_horizontal"] = { 3, 0.5, "a" },
        ["text.place_vertical"] = { 3, 0.5, "a" },
    }) do
        row("tty." .. name, "", of("tty", name, table.unpack(args)))
    end
    for _, name in ipairs({ "start", "stop", "events", "screen_size", "mouse" }) do
        row("tty." .. name, "", of("tty", name), { fails = "Unavailable" })
    end
    local styles = { foreground = { "red" }, background = { "#fff" }, padding = { 1, 2 }, margin = { 1 }, align = { 0.5 }, align_vertical = { 1 } }
    styles.border, styles.border_foreground, styles.border_background = { "rounded" }, { "1" }, { "1" }
    styles.render, styles.copy, styles.inline = { "a" }, {}, {}
    for _, name in ipairs({ "width", "height", "max_width", "max_height" }) do
        styles[name] = { 3 }
    end
    for _, name in ipairs({ "bold", "italic", "underline", "strikethrough", "faint", "blink", "reverse" }) do
        styles[name] = {}
    end
    for name, args in pairs(styles) do
        row("tty.Style:" .. name, "", call(name, table.unpack(args)), { make = of("tty", "style") })
    end
    methods("tty.KeyBinding", "", of("tty", "bind", { keys = { "q" } }), {
        matches = call("matches", { type = "key", key = "q", key_type = "runes" }), set_enabled = call("set_enabled", true),
        is_enabled = call("is_enabled"), help = call("help"),
    })
end

return add
