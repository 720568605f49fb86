local function main(peer)
    local pings = process.listen("ping")
    process.send(peer, "pong", 0)
    while true do
        process.send(peer, "pong", (pings:receive()))
    end
end

return { main = main }
