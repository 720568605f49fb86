-- Joins a group so many times, says so, and hands on what is sent to it.
local function main(parent, group, times)
    local scope = pg.open("groups:scope")
    for _ = 1, times do
        scope:join(group)
    end
    local tasks = process.listen("task", { message = true })
    process.send(parent, "joined", process.pid())
    while true do
        local message = tasks:receive()
        process.send(parent, "got", { by = process.pid(), from = message:from(), data = message:payload():data() })
    end
end

return { main = main }
