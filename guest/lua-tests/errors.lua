-- pcall, xpcall, error and places that no yield can cross.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

local boundary = "attempt to yield across a C-call boundary"

case("yield in pcall", "y(1) ok(true,r1)", function() return pcall(yield, 1) end)
case("yields in pcall", "y(1) y(2) y(3) ok(true,r1,r2,r3)", function()
  return pcall(function()
    local a = yield(1)
    local b = yield(2)
    return a, b, yield(3)
  end)
end)
case("pcalls nested", "y(1) y(2) y(3) ok(true,true,r2,r3)", function()
  return pcall(function()
    local ok, second = pcall(function() yield(1) return yield(2) end)
    return ok, second, yield(3)
  end)
end)
case("error between yields", "y(1) y(2) ok(false,oops,r2)", function()
  local ok, message = pcall(function() yield(1) error("oops", 0) end)
  return ok, message, yield(2)
end)
case("many errors between yields", "y(1) y(2) y(3) ok(oops1oops2oops3)", function()
  local all = ""
  for i = 1, 3 do
    local _, message = pcall(function() error("oops" .. yield(i):sub(2), 0) end)
    all = all .. message
  end
  return all
end)
case("error through two pcalls", "y(1) y(2) ok(true,false,deep,r2)", function()
  return pcall(function()
    local ok, message = pcall(function() return pcall(error) == nil or error(yield(1) and "deep", 0) end)
    return ok, message, yield(2)
  end)
end)
case("xpcall with a yield in the function", "y(1) ok(true,r1)", function() return xpcall(yield, print, 1) end)
case("xpcall handles an error after a yield", "y(1) ok(false,handled oops)", function()
  return xpcall(function() yield(1) error("oops", 0) end, function(m) return "handled " .. m end)
end)
case("yield in the message handler", "ok(false,handler: false)", function()
  return xpcall(error, function() return "handler: " .. tostring((pcall(yield, 1))) end, "oops")
end)
case("xpcall after a yield keeps its handler", "y(1) y(2) ok(false,outer inner,r2)", function()
  local ok, message
  ok, message = xpcall(function()
    local _, inner = xpcall(function() yield(1) error("", 0) end, function() return "inner" end)
    error(inner, 0)
  end, function(m) return "outer " .. m end)
  return ok, message, yield(2)
end)
case("uncaught error after a yield", "y(1) error(errors.lua: oops)", function() yield(1) error("oops") end)
case("uncaught error value", "y(1) error(table)", function() yield(1) error({}) end)
case("runtime error after a yield", "y(1) error(errors.lua: attempt to index a nil value (local 'x'))", function()
  local x
  yield(1)
  return x.y
end)
case("calling a non-function with yielded values", "y(1) error(errors.lua: attempt to call a string value)", function()
  (yield(1))()
end)

for name, call in pairs {
  ["table.sort"] = function() table.sort({3, 2, 1}, function() yield("sort") end) end,
  ["string.gsub"] = function() return (("x"):gsub("x", function() yield("gsub") end)) end,
  ["lua_call"] = function() T.callraw(yield, "raw") end,
  ["tostring"] = function() tostring(setmetatable({}, {__tostring = function() yield("tostring") end})) end,
  ["load"] = function() assert(load(function() yield("load") end)) end,
  ["table.concat"] = function() table.concat(setmetatable({}, {__len = function() yield() end})) end,
} do
  local got = common.show(select(2, coroutine.resume(coroutine.create(call))))
  assert(got:find(boundary, 1, true), name .. ": " .. got)
  -- The refusal is an ordinary error, after which yields work again.
  local co = coroutine.wrap(function() pcall(call) local a = yield(1) return a, yield(2) end)
  assert(co() == 1 and co("a") == 2 and common.show(co("b")) == "a,b", name)
end
case("lua_pcall without continuation", "ok(2," .. boundary .. ")", function() return T.pcallraw(yield) end)
case("a yield refused, then done", "y(1) ok(r1)", function()
  T.pcallraw(yield)
  return yield(1)
end)
case("a C function called without continuation after a yield", "y(1) y(2) ok(r2)", function()
  yield(1)
  T.pcallraw(T.yield, 5)
  return yield(2)
end)

do  -- an error leaves the thread dead and its frames readable
  local co = coroutine.create(function() local kept = "here" yield() error("oops") end)
  coroutine.resume(co)
  equal("error", "false,errors.lua: oops", coroutine.resume(co))
  equal("frames", "kept,here", debug.getlocal(co, 1, 1))
  equal("dead", "false,cannot resume dead coroutine", coroutine.resume(co))
end

do  -- a thread cannot resume itself, also after it yielded
  local co
  co = coroutine.create(function()
    yield(1)
    return coroutine.resume(co)
  end)
  coroutine.resume(co)
  equal("resume itself", "true,false,cannot resume non-suspended coroutine", coroutine.resume(co))
end
