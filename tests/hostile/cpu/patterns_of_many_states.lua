-- attack: a pattern of a few bytes with thousands of states, which reads the whole text again for each match
-- stopped by: searches that are not short run beside the workers, and limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: text

local function main()
    local text = require("text")
    local pattern = assert(text.regexp.compile("[01]*1[01]{300}[xy]|[01]"))
    local digits, seed = {}, 12345
    for i = 1, 20000 do
        seed = (seed * 1103515245 + 12345) % 2147483648
        digits[i] = seed // 65536 % 2
    end
    digits = table.concat(digits)
    while true do pattern:find_all_string(digits) end
end

return { main = main }
