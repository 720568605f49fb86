local check = require("check")
local text = require("text")

local function compile(pattern)
    local re, err = text.regexp.compile(pattern)
    check.is_nil(err)
    return re
end

check.case("matching and finding", function()
    local re = compile("[0-9]+")
    check.equal(re:match_string("abc123"), true)
    check.equal(re:match_string("abc"), false)
    check.equal(re:find_string("abc123def45"), "123")
    check.is_nil(re:find_string("abc"))
    check.equal(re:find_all_string("a1b22c333"), { "1", "22", "333" })
    check.equal(re:find_all_string("abc"), {})
    check.equal(re:find_string_index("abc123"), { 4, 6 })
    check.is_nil(re:find_string_index("abc"))
    check.equal(re:find_all_string_index("a1b2"), { { 2, 2 }, { 4, 4 } })
    check.is_nil(re:find_all_string_index("abc"))
end)

check.case("groups", function()
    local re = compile("(?P<user>\\w+)@(\\w+)\\.com")
    check.equal(re:find_string_submatch("to user@example.com"), { "user@example.com", "user", "example" })
    check.is_nil(re:find_string_submatch("nobody"))
    check.equal(compile("(\\w)=(\\d)"):find_all_string_submatch("a=1 b=2"), { { "a=1", "a", "1" }, { "b=2", "b", "2" } })
    check.equal(compile("(a)|(b)"):find_string_submatch("b"), { "b", "", "b" })
    check.equal(re:num_subexp(), 2)
    check.equal(re:subexp_names(), { "", "user", "" })
    check.equal(re:string(), "(?P<user>\\w+)@(\\w+)\\.com")
end)

check.case("replacing and splitting", function()
    check.equal(compile("[0-9]"):replace_all_string("a1b2", "X"), "aXbX")
    check.equal(compile("(\\w+) (\\w+)"):replace_all_string("hello world", "$2 ${1}!"), "world hello!")
    check.equal(compile(","):split("a,b,c", -1), { "a", "b", "c" })
    check.equal(compile(","):split("a,b,c", 2), { "a", "b,c" })
    check.equal(compile("\\s+"):split("a b  c"), { "a", "b", "c" })
end)

check.case("patterns are those of RE2", function()
    check.equal(compile("\\d"):match_string("٣"), false)
    check.equal(compile("(?i)HELLO"):match_string("hello"), true)
    check.equal(compile("^a.c$"):match_string("aéc"), true)
    check.equal(compile("[[:upper:]]+"):find_string("abCDe"), "CD")
    check.equal(compile("\\Qa.b\\E"):match_string("axb"), false)
    check.equal(compile("\xc3\xa9|\\xff"):match_string("\xc3\xa9"), true)
    for _, pattern in ipairs({ "(", "[", "a{1000}{1000}", "(?=x)", "(a)\\1" }) do
        check.fails(errors.INVALID, text.regexp.compile(pattern))
    end
    check.raises("string expected", text.regexp.compile, {})
    check.raises("string expected", compile("a").match_string, compile("a"), {})
end)

check.case("a pattern that is slow elsewhere ends", function()
    check.equal(compile("^(a+)+$"):match_string(("a"):rep(20000) .. "b"), false)
end)

check.case("differences", function()
    local diff = text.diff.new()
    local pieces = diff:compare("hello world", "hello there")
    check.equal(pieces, {
        { operation = "equal", text = "hello " },
        { operation = "delete", text = "world" },
        { operation = "insert", text = "there" },
    })
    check.equal(diff:summarize(pieces), { equals = 6, deletions = 5, insertions = 5 })
    check.equal(diff:pretty_html(pieces), "hello <del>world</del><ins>there</ins>")
    check.equal(diff:pretty_text(pieces), "hello \27[31mworld\27[0m\27[32mthere\27[0m")
    check.equal(diff:compare("same", "same"), { { operation = "equal", text = "same" } })
    check.fails(errors.INVALID, diff:pretty_html({ { operation = "other", text = "" } }))
end)

check.case("patches", function()
    local diff = text.diff.new({ diff_timeout = 2, patch_margin = 4 })
    local old = "The quick brown fox jumps over the lazy dog"
    local new = "The quick red fox jumps over the lazy cat"
    local patches = diff:patch_make(old, new)
    local result, ok = diff:patch_apply(patches, old)
    check.equal(result, new)
    check.equal(ok, true)
    local shifted, fits = diff:patch_apply(patches, "Now: " .. old)
    check.equal(shifted, "Now: " .. new)
    check.equal(fits, true)
    local same, fitted = diff:patch_apply(patches, "something else")
    check.equal(same, "something else")
    check.equal(fitted, false)
end)

check.case("splitting into chunks", function()
    local splitter = text.splitter.recursive({ chunk_size = 20, chunk_overlap = 5 })
    local chunks = splitter:split_text("one two three four five six seven eight")
    check.is_true(#chunks > 1)
    for _, chunk in ipairs(chunks) do
        check.is_true(#chunk <= 20)
    end
    local pages = splitter:split_batch({
        { content = "first page with some words", metadata = { page = 1 } },
        { content = "second", metadata = { page = 2 } },
    })
    check.equal(pages[#pages], { content = "second", metadata = { page = 2 } })
    check.equal(pages[1].metadata.page, 1)
    check.fails(errors.INVALID, text.splitter.recursive({ chunk_size = 0 }))
end)

check.case("splitting Markdown", function()
    local splitter = text.splitter.markdown({ chunk_size = 40, chunk_overlap = 0, heading_hierarchy = true })
    local chunks = splitter:split_text("# One\n\nfirst\n\n## Two\n\nsecond\n")
    check.equal(chunks, { "# One\nfirst", "# One\n## Two\nsecond" })
end)

return { main = check.main }
