local function greet(name)
    io.print("hello " .. (name or "nobody"))
end

local function add(...)
    local sum = 0
    for _, number in ipairs({ ... }) do
        sum = sum + tonumber(number)
    end
    io.print(sum)
end

return { greet = greet, add = add }
