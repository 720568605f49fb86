local check = require("check")
local funcs = require("funcs")

check.case("entries that share a file need what they run, and nothing else", function()
    check.equal(funcs.call("requires:encode", { a = 1 }), '{"a":1}')
    check.equal(#funcs.call("requires:identify"), 36)
end)

check.case("what is not declared raises where it is asked for", function()
    local asks = function() return require("json") end
    check.raises("module 'json' not found", asks)
end)

return { main = check.main }
