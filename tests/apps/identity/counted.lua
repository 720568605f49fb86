local count = 0
leftover = (leftover or 0) + 1

local function main()
    count = count + 1
    return { count = count, leftover = leftover }
end

return { main = main }
