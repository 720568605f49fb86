local function main()
    local list = { 1, 2, 3
    for index = 1, 3 do
        io.print(list[index])
    end
end

return { main = main }
