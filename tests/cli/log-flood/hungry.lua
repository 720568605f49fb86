-- Comes close to its memory limit: the log hears of it once.
local function main()
    local list = {}
    for number = 1, 1400 do
        list[number] = string.rep("x", 10000) .. number
    end
    io.print("done")
end

return { main = main }
