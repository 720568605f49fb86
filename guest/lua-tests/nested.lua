-- Coroutines in coroutines, and yields below metamethods, iterators and other library functions.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield, wrap = coroutine.yield, coroutine.wrap

case("wrap in a coroutine", "y(1) y(2) y(inner done) ok(r3)", function()
  local inner = wrap(function() yield(1) yield(2) return "inner done" end)
  yield(inner())
  yield(inner())
  return yield(inner())
end)
case("generators", "y(1) y(2) y(3) ok(6)", function()
  local sum = 0
  for i in wrap(function() for i = 1, 3 do yield(i) end end) do
    yield(i)
    sum = sum + i
  end
  return sum
end)
case("recursive generators", "ok(a b c d)", function()
  local function walk(t)
    if type(t) == "table" then for _, v in ipairs(t) do walk(v) end else yield(t) end
  end
  local all = {}
  for v in wrap(function() walk({"a", {"b", {"c"}}, "d"}) end) do all[#all + 1] = v end
  return table.concat(all, " ")
end)
case("a chain of coroutines", "y(10) y(11) ok(12)", function()
  local function stage(source) return wrap(function() for v in source do yield(v + 1) end end) end
  local source = wrap(function() for i = 0, 2 do yield(i) end end)
  for _ = 1, 10 do source = stage(source) end
  local a, b, c = source(), source(), source()
  yield(a)
  yield(b)
  return c
end)
case("an inner error reaches the outer pcall", "y(1) ok(false,oops)", function()
  local inner = wrap(function() yield(1) error("oops", 0) end)
  yield(inner())
  return pcall(inner)
end)
case("resume in pcall in resume", "y(1) y(2) ok(true,true,true,r2)", function()
  local inner = coroutine.create(function() local ok, v = pcall(yield, 1) return ok, v end)
  return pcall(function()
    local _, v = coroutine.resume(inner)
    v = yield(v) and yield(2)
    return coroutine.resume(inner, v)
  end)
end)
case("C resumes", "y(1,a) y(0,r1,b) ok(r2)", function()
  local inner = coroutine.create(function() return yield("a"), "b" end)
  local r = yield(T.resume(inner))
  yield(T.resume(inner, r))
  return "r2"
end)
case("C resumes C", "y(1,3) y(1,2) ok(1,1)", function()
  local inner = coroutine.create(T.count)
  yield(T.resume(inner, 3))
  yield(T.resume(inner))
  return T.resume(inner)
end)

case("yields in an iterator in Lua", "y(1) y(2) y(3) ok(2)", function()
  local last
  for i in function(_, i) i = (i or 0) + 1 yield(i) if i < 3 and last ~= 2 then last = i return i end end do end
  return last
end)
case("an iterator that is a C function", "y(nil,nil) y(nil,r1) ok(r1)", function()
  local seen
  for v in T.yield do
    if seen then break end
    seen = v
    if v == "r1" then seen = v end
  end
  return seen
end)
case("pairs with __pairs", "y(pairs) ok(k,v)", function()
  local t = setmetatable({}, {__pairs = function() yield("pairs") return next, {k = "v"} end})
  for k, v in pairs(t) do return k, v end
end)

local mt = {}
for _, name in ipairs {"add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "concat"} do
  mt["__" .. name] = function(a, b) yield(name) return name .. " done" end
end
for _, name in ipairs {"unm", "bnot", "len"} do
  mt["__" .. name] = function() return yield(name) end
end
mt.__eq = function() return yield("eq") ~= nil end
mt.__lt = function() return yield("lt") == nil end
mt.__le = function() return yield("le") ~= nil end
mt.__index = function(_, k) return yield("index " .. tostring(k)) end
mt.__newindex = function(t, k, v) yield("newindex") rawset(t, k, v) end
mt.__call = function(_, ...) return yield("call", ...) end
local function object() return setmetatable({}, mt) end

case("arithmetic metamethods", "y(add) y(sub) y(mul) y(div) y(mod) y(pow) y(idiv) ok(add done,idiv done)", function()
  local a, b = object(), object()
  local x = a + b
  x = x and a - 1
  x = 2 * b
  x = a / b
  x = a % 3
  x = a ^ b
  return "add done", a // b
end)
case("bitwise metamethods", "y(band) y(bor) y(bxor) y(shl) y(shr) y(bnot) ok(band done,r6)", function()
  local a, b = object(), object()
  local x = a & b
  local _ = a | 1, a ~ 2, a << 1, 1 >> b
  return x, ~a
end)
case("unary metamethods", "y(unm) y(len) ok(r1,r2)", function() local a = object() return -a, #a end)
case("comparison metamethods", "y(eq) y(lt) y(le) y(lt) y(le) ok(true,false,true,false,true)", function()
  local a, b = object(), object()
  return a == b, a < b, a <= b, a > 1, 1 <= b
end)
case("comparison in a condition", "y(lt) y(eq) ok(eq)", function()
  local a, b = object(), object()
  if a < b then return "lt" elseif a == b then return "eq" end
end)
case("concatenation", "y(concat) y(concat) ok(aconcat done)", function() return "a" .. object() .. "b" .. object() end)
case("index, newindex, call", "y(index k) y(newindex) y(call,1,2) ok(r1,5,r3)", function()
  local a = object()
  local x = a.k
  a.n = 5
  return x, a.n, a(1, 2)
end)
case("index through a C function", "y(table,key) ok(r1)", function()
  return setmetatable({}, {__index = T.yield}).key
end)
case("self through a C function", "y(table,go) y(table,1) ok(r2)", function()
  local o = setmetatable({}, {__index = function(...) T.yield(...) return T.yield end})
  return o:go(1)
end)
case("globals through a C function", "y(table,name) ok(r1)", function()
  local _ENV = setmetatable({}, {__index = T.yield})
  return name
end)
case("metamethods in pcall in metamethods", "y(a) y(b) ok(true,r1r2)", function()
  local o = setmetatable({}, {__index = function(_, k)
    local _, v = pcall(function() return setmetatable({}, {__index = function() return yield(k) end}).x end)
    return v
  end})
  return pcall(function() return o.a .. o.b end)
end)
case("table library through metamethods", "ok(false)", function()
  local o = setmetatable({}, {__index = function() yield() end, __len = function() return 2 end})
  return (pcall(table.unpack, o))
end)
case("dofile and select", "y(1) ok(r1)", function() return select(2, pcall(yield, 1)) end)

do  -- many at once, interleaved
  local threads, sum = {}, 0
  for i = 1, 200 do
    threads[i] = coroutine.create(function()
      for j = 1, i % 7 do
        if j % 2 == 0 then pcall(yield, j) else local v = yield(j) sum = sum + v end
      end
      return i
    end)
  end
  local live = #threads
  while live > 0 do
    live = 0
    for i, co in ipairs(threads) do
      if coroutine.status(co) == "suspended" then
        assert(coroutine.resume(co, i))
        live = live + 1
      end
    end
  end
  equal("interleaved", "34345", sum)
end
