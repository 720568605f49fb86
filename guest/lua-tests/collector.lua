-- Finalizers and metamethods that run on the stack of a thread that is suspended: its status says
-- "yielded" while C functions are called on it, and those calls must end like any others.

local common = dofile("common.lua")
local case, equal = common.case, common.equal
local yield = coroutine.yield

finalized = 0
local closed = ""

local function litter()
  T.finalizer()
  setmetatable({}, {__gc = function()
    local text = string.rep("x", 3):upper() .. tostring(#{1, 2})
    local ok, message = false, "caught"
    -- With Lua's own checks on, a protected call on a suspended thread is refused, although it works.
    if not T.checked() then ok, message = pcall(error, "caught", 0) end
    local co = coroutine.wrap(function(a) local b = yield(a) return a .. b end)
    closed = closed .. text .. tostring(ok) .. message .. co("p") .. co("q") .. ";"
  end})
end

for _, body in ipairs {
  function(a) local b = yield(a) return b, yield("two") end,
  function(a) local ok, b = pcall(yield, a) return b, yield("two") end,
  function(a) local b = setmetatable({}, {__index = function() return yield(a) end}).x return b, yield("two") end,
} do
  local co = coroutine.create(body)
  equal("first", "true,one", coroutine.resume(co, "one"))
  for _ = 1, 3 do litter() end
  T.collecton(co)
  equal("finalized on a suspended thread", "3,XXX2falsecaughtppq;XXX2falsecaughtppq;XXX2falsecaughtppq;", finalized, closed)
  finalized, closed = 0, ""
  equal("suspended", "suspended", coroutine.status(co))
  equal("second", "true,two", coroutine.resume(co, "back"))
  litter()
  T.collecton(co)
  equal("last", "true,back,end", coroutine.resume(co, "end"))
  litter()
  T.collecton(co)
  finalized, closed = 0, ""
end

do  -- metamethods on a suspended thread
  local co = coroutine.create(function(...) local n = select("#", ...) while n == 3 do n = select("#", T.yield(...)) end end)
  coroutine.resume(co, 1, 2, 3)
  local lua = setmetatable({}, {__index = function(_, k) return k:gsub("a", "A") .. select("#", 1, 2) end})
  local c = setmetatable({}, {__index = rawlen})
  for _ = 1, 3 do
    equal("Lua metamethod", "bAnAnA2", T.fieldon(co, lua, "banana"))
    equal("C metamethod", "0", T.fieldon(co, c, "x"))
    equal("still there", "true,1,2,3", coroutine.resume(co, 1, 2, 3))
  end
  -- An error there has no handler of that thread's own, so it ends the thread and goes to the main thread's.
  equal("metamethod that yields", "false,attempt to yield across a C-call boundary",
    pcall(T.fieldon, co, setmetatable({}, {__index = function() return T.yield(1) end}), "x"))
  equal("ended", "false,cannot resume dead coroutine", coroutine.resume(co))
end

do  -- yields with collections in between, in small steps
  collectgarbage("setpause", 100)
  for _, mode in ipairs {"incremental", "generational"} do
    collectgarbage(mode)
    local threads = {}
    for i = 1, 50 do
      threads[i] = coroutine.wrap(function()
        local t = {}
        for j = 1, 40 do
          t[j] = {yield(tostring(j) .. "x")}
          if j % 10 == 0 then litter() end
        end
        local n = 0
        for j = 1, 40 do n = n + t[j][1] end
        return n
      end)
    end
    for j = 1, 41 do
      for i = 1, 50 do
        local got = threads[i](i)
        if j == 41 then assert(got == 40 * i) else assert(got == j .. "x") end
      end
      collectgarbage("step")
    end
  end
  collectgarbage("incremental")
  collectgarbage()
  collectgarbage()
  equal("all finalized", "400", finalized)
end

case("a finalizer cannot yield", "y(1) ok(false)", function()
  local result
  setmetatable({}, {__gc = function() result = pcall(yield, "never") end})
  collectgarbage()
  yield(1)
  return result
end)
