local function main(parent)
    local stop = process.listen("stop")
    assert(process.send(parent, "ready"))
    stop:receive()
end

return { main = main }
