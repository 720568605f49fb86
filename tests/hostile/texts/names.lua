-- attack: terminal sequences in names, topics, reasons, entries and modules
-- stopped by: text without control characters in logs
-- ends: ok
-- modules: funcs

local function main()
    local evil = "\27[2J\27]0;owned\7\r\n2026-01-01 ERROR forged line\b\b\127\194\155" .. "31m\0end"
    pcall(process.registry.register, evil)
    pcall(process.send, evil, evil, evil)
    pcall(process.send, process.pid(), evil, evil)
    pcall(process.cancel, process.pid(), evil)
    pcall(process.spawn, evil, evil)
    pcall(process.spawn, "tenant:idle", evil)
    pcall(process.spawn, "tenant:" .. evil, "tenant:processes")
    pcall(require, evil)
    pcall(require("funcs").call, evil)
    pcall(coroutine.spawn, function() end)
    return true
end

return { main = main }
