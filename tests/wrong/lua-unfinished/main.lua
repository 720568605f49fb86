local function main()
    if true then
        io.print("x")
end

return { main = main }
