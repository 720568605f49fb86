-- Logs more than it may, then works on: the log hears how many lines it does not have.
local function main()
    for number = 1, 1000 do
        print("line " .. number)
    end
    io.print("done")
end

return { main = main }
