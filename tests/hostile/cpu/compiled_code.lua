-- attack: megabytes of code that are compiled without end
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: eval_runner

local function main()
    local eval = require("eval_runner")
    local source = "local a = 1\n" .. ("do local b = a + 1 ; a = b ; end\n"):rep(20000) .. "return a"
    while true do
        eval.compile(source)
        eval.run({ source = source })
    end
end

return { main = main }
