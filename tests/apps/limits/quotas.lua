-- Takes memory until there is none.
local function hoard()
    local list = {}
    while true do
        list[#list + 1] = string.rep("x", 100000) .. #list
    end
end

-- Sends to a process until that fails.
local function sender(to, text)
    local count = 0
    while true do
        local ok, err = process.send(to, "flood", text)
        if not ok then
            return { count = count, kind = err:kind(), retryable = err:retryable(), details = err:details() }
        end
        count = count + 1
    end
end

local function sleeper(bytes)
    local kept = string.rep("x", bytes or 0)
    process.listen("stop"):receive()
    return #kept
end

return { hoard = hoard, sender = sender, sleeper = sleeper }
