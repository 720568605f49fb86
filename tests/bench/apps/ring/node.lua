-- Passes a token on until it was passed often enough. The first node learns its neighbour last.
local function main(starter, neighbour)
    local token = process.listen("token")
    local neighbours = process.listen("next")
    process.send(starter, "built")
    if not neighbour then
        neighbour = neighbours:receive()
        process.send(starter, "built")
    end
    while true do
        local left = token:receive()
        if left == 0 then
            process.send(starter, "done")
        else
            process.send(neighbour, "token", left - 1)
        end
    end
end

return { main = main }
