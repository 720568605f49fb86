-- attack: code that takes a hundred times its size while it is compiled
-- stopped by: quota.memory, to which a multiple of its size is charged
-- ends: ok
-- modules: eval_runner

local eval = require("eval_runner")
local expect = require("expect")

local function main()
    local source = "local a = 1\n" .. ("do local b = a + 1 ; a = b ; end\n"):rep(90000) .. "return a"
    local err = expect.refused("LimitExceeded", eval.compile(source))
    assert(err:details().limit == "quota.memory", err:message())
    err = expect.refused("LimitExceeded", eval.run({ source = source }))
    assert(err:details().limit == "quota.memory", err:message())
    return true
end

return { main = main }
