local function main()
    local greeter = contract.get("app:greeter")
    io.print(greeter:method("greet").description .. ": " .. table.concat(greeter:implementations(), ", "))

    -- The default one.
    io.print(greeter:open():greet("Ada"))
    -- One by name, with the context that it needs.
    io.print(greeter:open("app:polite", { title = "Dr" }):greet("Ada"))
    -- Both at once.
    local first = greeter:open():greet_async("Grace")
    local second = contract.open("app:polite?title=Admiral"):greet_async("Grace")
    io.print(first:response():receive():data())
    io.print(second:response():receive():data())

    -- Schemas tell callers what a method takes; who wants an argument checked does it.
    local _, err = json.validate(greeter:method("greet").input_schemas[1].definition, "")
    io.print(err:kind() .. ": " .. err:message())
end

return { main = main }
