-- attack: a format with huge widths and huge arguments
-- stopped by: string.format itself and limits.memory, caught
-- ends: ok

local function main()
    assert(not pcall(string.format, "%999999999d", 1))
    assert(not pcall(string.format, "%.999999999f", 1))
    local text = ("x"):rep(200000)
    local list = {}
    for number = 1, 100 do
        list[number] = text
    end
    assert(not pcall(string.format, ("%s"):rep(100), table.unpack(list)))
    return true
end

return { main = main }
