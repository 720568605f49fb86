-- attack: lets threads of the host compress without end, which costs its own steps nothing
-- stopped by: limits.cpu_total
-- ends: LimitExceeded cpu_total
-- modules: compress

local function main()
    local compress = require("compress")
    local text = {}
    for i = 1, 20000 do text[i] = tostring(i * 7919 % 10007) end
    text = table.concat(text, " ")
    while true do compress.brotli.encode(text, { level = 11 }) end
end

return { main = main }
