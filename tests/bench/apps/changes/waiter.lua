local function main()
    process.send("main", "up", true)
    process.events():receive()
end

return { main = main }
