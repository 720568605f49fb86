-- attack: patterns that take long to compile, each of them another one
-- stopped by: long patterns are compiled beside the workers, and limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: text

local function main()
    local text = require("text")
    for round = 1, math.huge do
        text.regexp.compile("(?i)" .. ("[^\\PL]"):rep(60) .. round)
    end
end

return { main = main }
