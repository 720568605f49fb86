-- Fills its own mailbox: the log hears of it once, before messages are refused.
local function main()
    for number = 1, 20 do
        process.send(process.pid(), "kept", number)
    end
    io.print("done")
end

return { main = main }
