-- attack: a page of comments, each of which makes the reader look through the rest of the page
-- stopped by: a comment is read to its end and no farther
-- ends: ok
-- modules: html

local function main()
    local html = require("html")
    local policy = html.sanitize.ugc_policy()
    assert(policy:sanitize(("<!---->"):rep(100000) .. "x") == "x")
    return true
end

return { main = main }
