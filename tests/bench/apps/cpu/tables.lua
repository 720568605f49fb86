-- A sieve, a product of matrices, maps with keys of several types, a queue.

local function sieve(limit)
    local composite, count = {}, 0
    for i = 2, limit do
        if not composite[i] then
            count = count + 1
            for j = i * i, limit, i do
                composite[j] = true
            end
        end
    end
    return count
end

local function matrix(size, f)
    local rows = {}
    for i = 1, size do
        local row = {}
        for j = 1, size do
            row[j] = f(i, j)
        end
        rows[i] = row
    end
    return rows
end

local function multiply(a, b, size)
    return matrix(size, function(i, j)
        local sum, row = 0, a[i]
        for k = 1, size do
            sum = sum + row[k] * b[k][j]
        end
        return sum
    end)
end

local function maps(count)
    local map, sum = {}, 0
    for i = 1, count do
        map["key" .. i % 5000] = i
        map[i * 7919 % count] = i
        map[i + 0.5] = { id = i, name = "n", tags = { i, i + 1 } }
    end
    for key, value in pairs(map) do
        sum = sum + (type(value) == "table" and value.tags[2] or value)
        map[key] = nil
    end
    return sum + (next(map) == nil and 1 or 0)
end

local function queue(count)
    local items, sum = {}, 0
    for i = 1, count do
        table.insert(items, i)
        if i % 3 == 0 then
            sum = sum + table.remove(items) + table.remove(items, #items // 2 + 1)
        end
        if #items > 60 then
            items = table.move(items, 31, #items, 1, {})
        end
    end
    return sum
end

local function run()
    local size = 60
    local product = multiply(
        matrix(size, function(i, j) return i + j end),
        matrix(size, function(i, j) return i - j end),
        size
    )
    return sieve(300000) + product[7][11] + maps(40000) + queue(100000)
end

return { run = run }
