-- attack: terminal sequences in every part of an error object
-- stopped by: text without control characters in logs
-- ends: any owned

local function main()
    local evil = "\27[2J\27]0;owned\7\r\n2026-01-01 ERROR forged line\b\b\127\194\155" .. "31m\0end"
    error(errors.new({ message = evil, kind = evil, details = { [evil] = evil } }))
end

return { main = main }
