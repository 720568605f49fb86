-- attack: a process that is born with a full mailbox, and more
-- stopped by: limits.mailbox_messages
-- ends: ok

local function main()
    local builder = process.with_context({})
    for number = 1, 300 do
        builder = builder:with_message("topic " .. number, number)
    end
    local pid, err = builder:spawn("tenant:idle", "tenant:processes")
    assert(not pid and err:kind() == "RateLimited", tostring(err))
    return true
end

return { main = main }
