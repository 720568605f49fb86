-- Where a yield can stand: the body itself, calls, tail calls, varargs, any number of values.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

case("body is coroutine.yield", "y(a,b) ok(r1)", yield, "a", "b")
case("body is a C function", "y(a) ok(r1)", T.yield, "a")
case("body yields part of its stack", "y(c) ok(r1)", T.yieldlast, 1, "b", "c")
case("no values", "y() ok()", function() yield() end)
case("result unused", "y(1) ok()", function() yield(1) end)
case("one result", "y(1) ok(r1)", function() local a = yield(1) return a end)
case("too few results", "y(1) ok(r1,nil,nil)", function() local a, b, c = yield(1) return a, b, c end)
case("results as arguments", "y(1) y(r1,x) ok(r2)", function() return T.yield(yield(1), "x") end)
case("results into a table", "y() ok(3,a,r1)", function() local t = {"a", "b", yield()} return #t, t[1], t[3] end)
case("in an expression", "y(1) y(2) ok(r1r2)", function() return yield(1) .. yield(2) end)
case("in a condition", "y(1) ok(yes)", function() if yield(1) then return "yes" end return "no" end)
case("tail call", "y(1,2) ok(r1)", function() return yield(1, 2) end)
case("tail call with varargs", "y(1,2,3) ok(r1)", function(...) return yield(...) end, 1, 2, 3)
case("tail call with an open upvalue", "y(5) ok(r1)", function()
  local kept = 5
  local function f() return kept end
  return T.yield(f())
end)
case("tail call from a vararg function with locals", "y(3,a) ok(r1)", function(...)
  local n = select("#", ...)
  return T.yield(n, (...))
end, "a", "b", "c")
case("tail calls in a row", "y(1) y(r1) ok(r2)", function()
  local function f(...) return T.yield(...) end
  local function g() return f(yield(1)) end
  return g()
end)
case("vararg function around a yield", "y(1) ok(b,r1)", function(...)
  local a = yield(1)
  return select(2, ...), a
end, "a", "b")
case("deep Lua calls", "y(deep) ok(100)", function()
  local function f(n) if n == 0 then yield("deep") return 0 end return 1 + f(n - 1) end
  return f(100)
end)
case("method and field calls", "y(table,1) ok(r1)", function()
  local object = {yield = T.yield}
  return object:yield(1)
end)
case("callable table", "y(table,1) ok(r1)", function() return setmetatable({}, {__call = T.yield})(1) end)
case("callable table, not in a tail call", "y(table,1) ok(r1,x)", function()
  local r = setmetatable({}, {__call = coroutine.yield})(1)
  return r, "x"
end)
case("callable table as the body's call", "y(2) ok(r1)", function()
  local function f(_, n) return yield(n) end
  return setmetatable({}, {__call = f})(2)
end)
case("a loop", "y(1) y(2) y(3) ok(r1r2r3)", function()
  local all = ""
  for i = 1, 3 do all = all .. yield(i) end
  return all
end)
case("goto around a yield", "y(1) y(2) ok()", function()
  local i = 0
  ::again::
  i = i + 1
  yield(i)
  if i < 2 then goto again end
end)

do  -- many values in both directions, so that both stacks must grow
  local co = coroutine.create(function(...)
    local n = select("#", ...)
    for _ = 1, 3 do n = n + select("#", T.yield(table.unpack({}, 1, 500))) end
    return n
  end)
  local args = {}
  for i = 1, 5000 do args[i] = i end
  for i = 1, 3 do equal("many values", "true,500", coroutine.resume(co, table.unpack(args)), 500) end
  equal("many results", "true,20000", coroutine.resume(co, table.unpack(args)))
end

do  -- a suspended thread looks the same from outside
  local co
  co = coroutine.create(function(a)
    local kept = a
    T.yield(kept, coroutine.isyieldable(), coroutine.running())
    return kept
  end)
  equal("status before", "suspended", coroutine.status(co))
  equal("values", "true,7,true,thread,false", coroutine.resume(co, 7))
  equal("status between", "suspended", coroutine.status(co))
  equal("local at level 1", "kept,7", debug.getlocal(co, 1, 2))
  equal("running function", "C", debug.getinfo(co, 0, "S").what)
  equal("traceback levels", "3", select(2, debug.traceback(co):gsub("\n", "\n")) + 1)
  equal("end", "true,7", coroutine.resume(co))
  equal("after the end", "false,cannot resume dead coroutine", coroutine.resume(co))
  equal("status after", "dead", coroutine.status(co))
end

equal("outside a coroutine", "false,attempt to yield from outside a coroutine", pcall(T.yield))
