local function hello()
    return "hello"
end

local function main()
    local value, err = funcs.call("app:hello")
    io.print(value or "denied: " .. err:kind())
    return value, err
end

local function twice()
    io.print(funcs.call("app:hello"))
    local _, err = funcs.call("app:secret")
    return nil, err
end

return { main = main, twice = twice, hello = hello }
