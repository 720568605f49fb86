-- attack: a process linked with itself, monitored by itself, and ended by itself
-- stopped by: the kernel
-- ends: Canceled

local function main()
    local own = process.pid()
    process.link(own)
    process.link(own)
    process.monitor(own)
    process.set_options({ trap_links = true })
    process.unlink(own)
    process.cancel(own)
    assert(process.events():receive().kind == process.event.CANCEL)
    process.terminate(own)
    while true do end
end

return { main = main }
