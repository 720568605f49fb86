-- attack: terminal sequences in every part of a record
-- stopped by: text without control characters in logs
-- ends: ok
-- modules: logger

local function main()
    local evil = "\27[2J\27]0;owned\7\r\n2026-01-01 ERROR forged line\b\b\127\194\155" .. "31m\0end"
    local log = require("logger")
    log:info(evil, { [evil] = evil, nested = { [evil] = { evil } }, err = errors.new(evil) })
    log:named(evil):warn(evil)
    log:with({ [evil] = evil }):error(evil, { cycle = (function() local t = {} t.t = t return t end)() })
    log:debug(evil)
    return true
end

return { main = main }
