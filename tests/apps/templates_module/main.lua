local check = require("check")
local templates = require("templates")

local function set()
    local views, err = templates.get("templates_module:views")
    check.is_nil(err)
    return views
end

check.case("variables, functions and globals", function()
    local text = set():render("hello", { user = { name = "<Ann>" }, items = { 1, 2, 3 } })
    check.equal(text, "Hello &lt;Ann&gt;, you have 3 items on Moonlet.")
end)

check.case("loops and conditions", function()
    local items = { { name = "a", price = 1.5 }, { name = "b", price = 2 } }
    check.equal(set():render("list", { items = items }), "0. a $1.5\n1. b $2\n[a][b]\n")
    check.equal(set():render("list", { items = {} }), "none\n")
    check.equal(set():render("state", { order = { shipped = true } }), "shipped")
    check.equal(set():render("state", { order = { processing = true } }), "processing")
    check.equal(set():render("state", { order = {} }), "received")
end)

check.case("inheritance and includes", function()
    local page = set():render("page", { name = "page", text = "<b>" })
    check.equal(page, "<title>My PAGE</title><body><p>&lt;b&gt;</p><b></body><footer>Moonlet</footer>")
end)

check.case("how a value is written can be said like a call", function()
    local data = { text = "<a b>", list = { 1, "x" }, failure = errors.new("it is <gone>") }
    check.equal(set():render("writers", data), '&lt;a b&gt; &lt;a b&gt; %3Ca+b%3E [1,"x"] <a b> it is &lt;gone&gt;')
end)

check.case("blocks are yielded with content", function()
    check.equal(set():render("boxes", { name = "<x>", title = "outer" }), table.concat({
        "<div title=one>[outer &lt;x&gt;]</div>",
        "<div title=two>nothing</div>",
        "<div title=a><div title=b>deep</div></div>",
        "<ul><li>1!</li><li>2!</li></ul>",
    }))
end)

check.case("what cannot be written is written otherwise", function()
    check.equal(set():render("tries", { items = { 1 } }), "before fallback after 1")
    check.contains(set():render("reasons", {}), "nowhere")
    check.equal(set():render("silent", {}), "a b")
    check.fails(errors.LIMIT_EXCEEDED, set():render("caught_bomb"))
    local err = check.fails(errors.INTERNAL, set():render("stray", {}))
    check.contains(err:message(), "catch")
end)

check.case("other delimiters and own variables", function()
    local views = templates.get("templates_module:brackets")
    check.equal(views:render("tags", { a = 1 }), "1 {{ b }}no c2")
end)

check.case("what goes wrong is an error", function()
    check.fails(errors.INVALID, templates.get(""))
    check.fails(errors.NOT_FOUND, templates.get("templates_module:nowhere"))
    check.fails(errors.INVALID, templates.get("templates_module:hello"))
    check.fails(errors.INVALID, set():render(""))
    check.fails(errors.NOT_FOUND, set():render("nowhere"))
    local err = check.fails(errors.INTERNAL, set():render("broken", {}))
    check.contains(err:message(), "line 1")
    check.fails(errors.INTERNAL, set():render("missing", {}))
    check.fails(errors.INTERNAL, set():render("endless"))
    check.fails(errors.LIMIT_EXCEEDED, set():render("bomb"))
    check.raises("string expected", templates.get, {})
end)

check.case("a released set renders no more", function()
    local views = set()
    check.equal(views:release(), true)
    check.fails(errors.INTERNAL, views:render("hello"))
    check.equal(views:release(), false)
end)

return { main = check.main }
