local function main(parent)
    process.send(parent, "up", process.pid())
    while true do
        pcall(error, {})
    end
end

return { main = main }
