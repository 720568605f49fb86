-- attack: a short text, and patches that make it long
-- stopped by: limits.message_size, and patches count for what is long
-- ends: ok
-- modules: text

local function main()
    local text = require("text")
    local patches, added = {}, ("x"):rep(70)
    for i = 1, 3000 do patches[i] = "@@ -1,0 +1,70 @@\n+" .. added end
    patches = { { text = table.concat(patches, "\n") } }
    local differ = text.diff.new()
    differ:patch_apply(patches, "hello")
    local result, all = differ:patch_apply({ { text = "@@ -18446744073709551615 +1 @@\n xx\n-yy\n" } }, "hello")
    assert(result == "hello" and all == false)
    return true
end

return { main = main }
