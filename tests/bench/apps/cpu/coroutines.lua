-- Generators, pipelines, many short coroutines, and many that wait at the same time.

local yield, wrap = coroutine.yield, coroutine.wrap

local function range(count)
    return wrap(function()
        for i = 1, count do
            yield(i)
        end
    end)
end

local function stage(source, f)
    return wrap(function()
        for value in source do
            yield(f(value))
        end
    end)
end

local function walk(tree)
    if tree then
        walk(tree.left)
        yield(tree.value)
        walk(tree.right)
    end
end

local function tree(low, high)
    if low > high then
        return nil
    end
    local middle = (low + high) // 2
    return { value = middle, left = tree(low, middle - 1), right = tree(middle + 1, high) }
end

local function run()
    local sum = 0
    for value in range(400000) do
        sum = sum + value
    end
    local pipeline = range(60000)
    for step = 1, 4 do
        pipeline = stage(pipeline, function(value) return value + step end)
    end
    for value in pipeline do
        sum = sum + value
    end
    local all = tree(1, 60000)
    for value in wrap(function() walk(all) end) do
        sum = sum + value
    end
    for i = 1, 50000 do
        sum = sum + wrap(function(value) return value + yield(value) end)(i)
    end
    local waiting = {}
    for i = 1, 1000 do
        waiting[i] = coroutine.create(function()
            while true do
                sum = sum + 1
                yield()
            end
        end)
    end
    for _ = 1, 50 do
        for i = 1, #waiting do
            coroutine.resume(waiting[i])
        end
    end
    return sum
end

return { run = run }
