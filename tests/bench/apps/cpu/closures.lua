-- Functions that make functions, methods through metatables, varargs.

local function map(list, f)
    local result = {}
    for i = 1, #list do
        result[i] = f(list[i])
    end
    return result
end

local function filter(list, keep)
    local result = {}
    for i = 1, #list do
        if keep(list[i]) then
            result[#result + 1] = list[i]
        end
    end
    return result
end

local function fold(list, start, f)
    for i = 1, #list do
        start = f(start, list[i])
    end
    return start
end

local function compose(...)
    local functions = { ... }
    return function(value)
        for i = 1, #functions do
            value = functions[i](value)
        end
        return value
    end
end

local function counter()
    local count = 0
    return function(step)
        count = count + step
        return count
    end, function()
        return count
    end
end

local Account = {}
Account.__index = Account

function Account.new(balance)
    return setmetatable({ balance = balance }, Account)
end

function Account:deposit(amount)
    self.balance = self.balance + amount
    return self
end

local Savings = setmetatable({}, { __index = Account })
Savings.__index = Savings

function Savings.new(balance)
    return setmetatable(Account.new(balance), Savings)
end

local function sum(...)
    local total = 0
    for i = 1, select("#", ...) do
        total = total + (select(i, ...))
    end
    return total
end

local function run()
    local list = {}
    for i = 1, 1000 do
        list[i] = i
    end
    local result = 0
    for round = 1, 300 do
        local add = function(value) return value + round end
        local double = function(value) return value * 2 end
        local odd = function(value) return value % 2 == 1 end
        local values = map(filter(list, odd), compose(add, double, add))
        result = result + fold(values, 0, function(a, b) return (a + b) % 1000003 end)
    end
    for _ = 1, 60000 do
        local increase, read = counter()
        increase(1)
        increase(2)
        result = result + read()
    end
    local account = Savings.new(0)
    for i = 1, 600000 do
        account:deposit(i % 7)
    end
    for i = 1, 100000 do
        result = result + sum(i, 2, 3, 4, 5)
    end
    return result + account.balance
end

return { run = run }
