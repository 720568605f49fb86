-- Nanoseconds of the operations that lua.patch touches; the least of several runs, because others use the machine too.

local function best(n, f)
  local least = math.huge
  for _ = 1, 5 do
    local start = os.clock()
    f(n)
    least = math.min(least, (os.clock() - start) / n * 1e9)
  end
  return least
end

local yield = coroutine.yield
local plain = coroutine.wrap(function() while true do yield() end end)
local inside = coroutine.wrap(function() pcall(function() while true do yield() end end) end)
local thrown = coroutine.wrap(function() while true do pcall(yield) end end)
local function resume(co) return function(n) for _ = 1, n do co() end end end

print("yield and resume", best(300000, resume(plain)))
print("the same in a pcall that stays", best(300000, resume(inside)))
print("pcall around each yield", best(300000, resume(thrown)))
print("call of a C function", best(2000000, function(n) local f = math.abs for i = 1, n do f(i) end end))
