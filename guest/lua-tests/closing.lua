-- To-be-closed variables, in Lua and in C, and coroutine.close.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

local log = {}
local function closer(name, f)
  return setmetatable({}, {__close = function(_, e)
    log[#log + 1] = name .. (e and "(" .. tostring(e) .. ")" or "")
    if f then return f(e) end
  end})
end
local function logged()
  local text = table.concat(log, " ")
  log = {}
  return text
end

case("block", "y(1) ok(r1,a)", function()
  local r
  do
    local a <close> = closer("a")
    r = yield(1)
  end
  return r, logged()
end)
case("return through a closing variable", "y(1) ok(r1)", function()
  local a <close> = closer("a")
  return yield(1)
end)
equal("closed", "a", logged())
case("yield in __close at the end of a block", "y(close) ok(after,a b)", function()
  do
    local b <close> = closer("b")
    local a <close> = closer("a", function() yield("close") end)
  end
  return "after", logged()
end)
case("yields in __close of a return", "y(1) y(close1) y(close2) y(close3) ok(r1,kept)", function()
  local b <close> = closer("b", function() yield("close2") yield("close3") end)
  local a <close> = closer("a", function() yield("close1") end)
  return yield(1), "kept"
end)
equal("closed", "a b", logged())
case("yield in __close after an error", "y(1) y(close) ok(false,oops)", function()
  return pcall(function()
    local a <close> = closer("a", function() yield("close") end)
    yield(1)
    error("oops", 0)
  end)
end)
equal("closed", "a(oops)", logged())
case("error in __close after a yield in it", "y(1) y(close) y(2) ok(false,second)", function()
  local ok, message = pcall(function()
    local b <close> = closer("b")
    local a <close> = closer("a", function() yield("close") error("second", 0) end)
    yield(1)
    error("first", 0)
  end)
  yield(2)
  return ok, message
end)
equal("closed", "a(first) b(second)", logged())
case("break out of a loop", "y(1) y(close) ok(r2)", function()
  for _ = 1, 3 do
    local a <close> = closer("a", function() yield("close") end)
    yield(1)
    break
  end
  return "r2"
end)
logged()
case("for loop with a closing value", "y(1) y(2) y(close) ok(done)", function()
  local function iterate(_, i) if i < 2 then yield(i + 1) return i + 1 end end
  for _ in iterate, nil, 0, closer("a", function() yield("close") end) do end
  return "done"
end)
logged()
case("C function with a closing value", "y(x) ok(closed)", function() return T.close(closer("c"), "x") end)
equal("closed", "c", logged())
case("C function whose closing value yields", "y(x) y(close) ok(closed,r2)", function()
  local text = T.close(closer("c", function() yield("close") end), "x")
  return text, "r2"
end)
equal("closed", "c", logged())
case("the same as the body", "y(x) y(close) ok(closed)", T.close, closer("c", function() yield("close") end), "x")
logged()

do  -- coroutine.close on a thread that yielded
  local co = coroutine.create(function()
    local b <close> = closer("b")
    local a <close> = closer("a")
    yield(1)
  end)
  coroutine.resume(co)
  equal("close", "true", coroutine.close(co))
  equal("closed", "a b", logged())
  equal("dead", "dead", coroutine.status(co))

  co = coroutine.create(function()
    local a <close> = closer("a", function() error("in close", 0) end)
    pcall(function() local b <close> = closer("b") while true do yield(1) end end)
  end)
  for _ = 1, 3 do coroutine.resume(co) end
  equal("close with an error", "false,in close", coroutine.close(co))
  equal("closed", "b a", logged())

  co = coroutine.create(T.yield)
  coroutine.resume(co)
  equal("close a C body", "true", coroutine.close(co))

  co = coroutine.create(function()
    local a <close> = closer("a", function() return yield("no") end)
    yield(1)
  end)
  coroutine.resume(co)
  equal("a yield in __close on close", "false,attempt to yield across a C-call boundary", coroutine.close(co))
  logged()
end

do  -- wrap closes what an error leaves
  local f = coroutine.wrap(function()
    local a <close> = closer("a")
    yield(1)
    error("oops", 0)
  end)
  f()
  equal("wrap", "false,oops", pcall(f))
  equal("closed", "a(oops)", logged())
end
