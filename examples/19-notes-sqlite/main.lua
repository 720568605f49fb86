local io = require("io")
local notes = require("notes")

local function titles(list)
    local names = {}
    for _, note in ipairs(list) do
        table.insert(names, note.title)
    end
    return table.concat(names, ", ")
end

local function main()
    notes.prepare()
    io.print("added " .. table.concat({ notes.add("buy milk"), notes.add("buy paper"), (notes.add("write letter")) }, ", "))
    io.print("found: " .. titles(notes.find("buy %")))
    io.print("done: " .. notes.finish(1).title)

    local _, err = notes.import({ "call Bob", "buy milk" })
    io.print(err:kind() .. ": " .. err:message())
    io.print("left after the failed import: " .. notes.count())

    io.print("open notes: " .. titles(notes.open()))
    io.print("removed " .. notes.remove_finished())
end

return { main = main }
