local function fib(n)
    if n < 2 then
        return n
    end
    return fib(n - 1) + fib(n - 2)
end

local function ackermann(m, n)
    if m == 0 then
        return n + 1
    elseif n == 0 then
        return ackermann(m - 1, 1)
    end
    return ackermann(m - 1, ackermann(m, n - 1))
end

local function hanoi(n, from, to, over)
    if n == 0 then
        return 0
    end
    return hanoi(n - 1, from, over, to) + 1 + hanoi(n - 1, over, to, from)
end

local function run()
    return fib(30) + ackermann(2, 300) + hanoi(18, 1, 2, 3)
end

return { run = run }
