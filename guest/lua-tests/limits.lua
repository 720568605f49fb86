-- Limits of stack and memory around yields.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

do  -- coroutines resumed in coroutines
  local function depth(yields)
    local function descend(n)
      local co = coroutine.wrap(function()
        for _ = 1, yields do yield() end
        return descend(n + 1)
      end)
      for _ = 1, yields do co() end
      local ok, deeper = pcall(co)
      return ok and deeper or n
    end
    return descend(0)
  end
  for yields = 0, 3 do print("depth of resumes", depth(yields)) end
end

do  -- C calls in one thread end at the same depth, before and after yields
  local function depth()
    local n = 0
    local function descend() n = n + 1 return (string.gsub("x", "x", descend)) end
    pcall(descend)
    return n
  end
  local co = coroutine.wrap(function()
    for _ = 1, 3 do
      yield(depth())
      pcall(yield, depth())
      T.count(2)
      yield((select(2, pcall(depth))))
    end
    return "end"
  end)
  local trace = {}
  repeat
    local v = co()
    trace[#trace + 1] = tostring(v)
  until v == "end"
  print("depth of C calls", table.concat(trace, " "))
end

case("yield after a stack overflow", "y(1) y(false) ok(r2)", function()
  yield(1)
  local function forever() return 1 + forever() end
  return yield((pcall(forever)))
end)
case("yield from the bottom of a deep stack", "y(deep) y(again) ok(15000)", function()
  local function f(n)
    if n == 0 then yield("deep") yield("again") return 0 end
    return 1 + f(n - 1)
  end
  return f(15000)
end)
case("pcalls as deep as they go, with yields", "y(bottom) y(and up) ok(true)", function()
  local function f(n)
    if n == 0 then yield("bottom") return true end
    return select(2, pcall(f, n - 1))
  end
  local ok = f(150)
  yield("and up")
  return ok
end)

do  -- memory errors at every allocation
  local function body(a)
    local t = {a}
    for i = 1, 3 do
      t[#t + 1] = yield({i})
      local ok = pcall(function() t[#t + 1] = yield("in " .. i .. #t) .. i end)
      t[#t + 1] = ok
    end
    return #t
  end
  local outcomes = {}
  for n = 0, 160 do
    collectgarbage()
    collectgarbage("stop")
    local trace = {}
    local ok, message = pcall(function()
      local co = coroutine.create(body)
      T.allow(n)
      for i = 1, 8 do
        local alive, value = coroutine.resume(co, "x")
        trace[i] = alive and type(value) or "E"
        if not alive then break end
      end
    end)
    T.allow()
    collectgarbage("restart")
    outcomes[#outcomes + 1] = n .. ":" .. (ok and "" or tostring(message)) .. table.concat(trace, ",")
  end
  print(table.concat(outcomes, "\n"))
end
