local function memory()
    local list = {}
    while true do
        list[#list + 1] = string.rep("x", 1000) .. #list
    end
end

local function endless()
    while true do
    end
end

local function waits()
    process.inbox():receive()
end

return { memory = memory, endless = endless, waits = waits }
