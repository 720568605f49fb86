-- attack: many thousands of matches with many empty groups, each of which is a value
-- stopped by: quota.memory, to which the values are charged while they gather
-- ends: ok
-- modules: text

local text = require("text")
local expect = require("expect")

local function main()
    local pattern = text.regexp.compile(("()"):rep(30) .. "|x")
    local err = expect.refused("LimitExceeded", pattern:find_all_string_submatch(("a"):rep(500000)))
    local limit = err:details().limit
    assert(limit == "quota.memory" or limit == "message_size", err:message())
    return true
end

return { main = main }
