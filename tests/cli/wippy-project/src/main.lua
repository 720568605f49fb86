local io = require("io")
local funcs = require("funcs")
local greet = require("greet")
local notes = require("notes")
local entries = require("entries")
local text = require("text")

local function main()
    io.print(text.shout("modules"), greet.hello("Ada"), notes.first)
    local config = entries.get("acme.greet:config").data
    io.print(config.greeting, table.concat(config.languages, " "))
    local settings = entries.get("app:settings")
    io.print(settings.data.environment, settings.meta.tags[2], (settings.data.license:gsub("\n", "")))
    io.print(entries.get("app.single:alone").data.value, entries.get("app:definition").data.readme == settings.data.license)
    local _, err = funcs.call("app:needs_missing")
    io.print(err:kind(), err:message())
end

return { main = main }
