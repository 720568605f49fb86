local function main()
    io.print(below.name, shared.name, json_entry.name)
end

return { main = main }
