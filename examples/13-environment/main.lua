local io = require("io")
local env = require("env")
local store = require("store")

-- Reads a variable, or says why there is none.
local function show(name: string)
    local value, err = env.get(name)
    io.print(name .. ": " .. (value or err!:kind()))
end

local function main()
    show("GREETING") -- from the application
    show("GUEST") -- from the file
    show("RELEASE") -- from the default of the variable
    show("HOME") -- declared nowhere

    -- Writing goes to the head of the chain, here to memory.
    for _, name in ipairs({ "GREETING", "RELEASE" }) do
        local done, err = env.set(name, "hello")
        io.print("setting " .. name .. ": " .. (err and err:kind() or tostring(done)))
        show(name)
    end

    local cache = store.get("app:cache")!
    for key = 1, 3 do
        local _, full = cache:set("key " .. key, true)
        io.print("key " .. key .. ": " .. (full and full:kind() or "kept"))
    end
end

return { main = main }
