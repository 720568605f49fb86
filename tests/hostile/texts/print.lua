-- attack: terminal sequences in what is printed
-- stopped by: text without control characters in logs
-- ends: ok

local function main()
    local evil = "\27[2J\27]0;owned\7\r\n2026-01-01 ERROR forged line\b\b\127\194\155" .. "31m\0end"
    print(evil)
    print(evil, evil)
    print(setmetatable({}, { __tostring = function() return evil end }))
    print(setmetatable({}, { __name = evil }))
    return true
end

return { main = main }
