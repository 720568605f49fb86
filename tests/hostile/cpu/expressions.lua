-- attack: expressions whose functions go through one long text for each character of another one, or through one long text very often
-- stopped by: limits.cpu_total; texts count as steps, and what takes many runs beside the workers
-- ends: LimitExceeded cpu_total
-- modules: expr

local function main()
    local expr = require("expr")
    local text, set = ("a"):rep(300000), ("b"):rep(300000) .. "a"
    while true do
        expr.eval("trim(s, c)", { s = text, c = set })
        expr.eval("count(1..100000, hasPrefix(s, s))", { s = text })
        expr.eval("count(1..100000, s[-1] == 'a' and s < s)", { s = text })
        expr.eval("sortBy(1..1000, s)", { s = text })
        expr.eval("count(1..1000, s matches '(a|b){1,300}[xy]$')", { s = text })
    end
end

return { main = main }
