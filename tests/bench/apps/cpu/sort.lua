-- table.sort with and without a comparator, and a sort written in Lua.

local function numbers(count, seed)
    local list = {}
    for i = 1, count do
        seed = (seed * 1103515245 + 12345) % 2147483648
        list[i] = seed
    end
    return list
end

local function quick(list, low, high)
    while low < high do
        local pivot, i, j = list[(low + high) // 2], low, high
        repeat
            while list[i] < pivot do
                i = i + 1
            end
            while list[j] > pivot do
                j = j - 1
            end
            if i <= j then
                list[i], list[j] = list[j], list[i]
                i, j = i + 1, j - 1
            end
        until i > j
        if j - low < high - i then
            quick(list, low, j)
            low = i
        else
            quick(list, i, high)
            high = j
        end
    end
end

local function digest(list)
    local sum = 0
    for i = 1, #list, 97 do
        sum = (sum * 31 + list[i]) % 1000000007
    end
    return sum
end

local function run()
    local plain = numbers(60000, 1)
    table.sort(plain)

    local descending = numbers(40000, 2)
    table.sort(descending, function(a, b) return a > b end)

    local texts = {}
    for i, number in ipairs(numbers(15000, 3)) do
        texts[i] = "item" .. number
    end
    table.sort(texts)

    local own = numbers(60000, 4)
    quick(own, 1, #own)
    return digest(plain) + digest(descending) + digest(own) + #texts[1] + #texts[#texts]
end

return { run = run }
