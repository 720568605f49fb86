-- attack: messages that nobody asked for, sorted again and again
-- stopped by: limits.mailbox_messages
-- ends: ok

local function main()
    for number = 1, 499 do
        assert(process.send(process.pid(), "kept " .. number % 50, number))
    end
    for round = 1, 200 do
        local ch = process.listen("kept " .. round % 50)
        process.unlisten(ch)
    end
    return true
end

return { main = main }
