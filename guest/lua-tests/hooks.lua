-- Debug hooks: they see the same events, and they can still yield by throwing.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

local function hooked(kind, count)
  local co = coroutine.create(function()
    local sum = 0
    for i = 1, 3 do
      sum = sum + i
      if i == 2 then sum = sum + #yield("mine") end
      sum = sum + #(pcall(yield, "inner") and "ab")
    end
    return sum
  end)
  T.hook(co, kind, count)
  local yields, mine = 0, 0
  while true do
    local ok, value = coroutine.resume(co, "xyz")
    assert(ok, value)
    if coroutine.status(co) == "dead" then return value, mine, yields > mine end
    yields = yields + 1
    if value then mine = mine + 1 end
  end
end

equal("no hook", "15,4,false", hooked())
equal("silent hook", "15,4,false", hooked("silent"))
equal("hook that yields at each line", "15,4,true", hooked("yield", 0))
equal("hook that yields at each instruction", "15,4,true", hooked("yield", 1))
equal("hook that yields at each third instruction", "15,4,true", hooked("yield", 3))

do  -- the events of debug.sethook around a yield
  local events = {}
  local co = coroutine.create(function(a)
    local b = yield(a)
    local c = pcall(yield, b)
    return yield(c)
  end)
  debug.sethook(co, function(event)
    local info = debug.getinfo(2, "nS")
    events[#events + 1] = event .. ":" .. info.what .. ":" .. tostring(info.name)
  end, "crl")
  print(common.drive(co, 1))
  print(table.concat(events, " "))
end

do  -- call hooks of C functions run before a yield, return hooks after the resume
  local calls, returns = 0, 0
  local co = coroutine.create(function() for _ = 1, 5 do yield() end end)
  debug.sethook(co, function(event)
    if debug.getinfo(2, "f").func == yield then
      if event == "return" then returns = returns + 1 else calls = calls + 1 end
    end
  end, "cr")
  coroutine.resume(co)
  coroutine.resume(co)
  equal("calls and returns between", "2,1", calls, returns)
  common.drive(co)
  equal("calls and returns", "5,5", calls, returns)
end

case("a hook that calls yield through Lua is refused", "ok(false)", function()
  local ok = true
  debug.sethook(function() ok = pcall(yield, 1) end, "l")
  local _ = 1
  debug.sethook()
  return ok
end)
