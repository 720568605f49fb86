-- Random programs of coroutines: `stress.lua SEED COUNT`. The trace must not depend on how a yield travels.

local seed, count = tonumber((...)) or 1, tonumber((select(2, ...))) or 300

-- A generator of our own, so that every build draws the same numbers.
local state = seed
local function random(n)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % n + 1
end

local trace = {}
local digest = 5381
local function note(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    local kind = type(parts[i])
    if kind == "string" then
      parts[i] = parts[i]:gsub("0x%x+", "")
    elseif kind ~= "number" and kind ~= "boolean" and kind ~= "nil" then
      parts[i] = kind
    end
    parts[i] = tostring(parts[i])
  end
  local line = table.concat(parts, " ", 1, parts.n)
  for i = 1, #line do digest = (digest * 33 + line:byte(i)) & 0xffffffff end
  trace[#trace + 1] = line
end

local yield = coroutine.yield
local act  -- act(depth): one random thing; may yield, raise, or both
local threads = {}

local function few(depth, first)
  local last = first
  for _ = 1, random(3) do last = act(depth - 1) end
  return last, first
end

local function drain(co, limit)
  for i = 1, limit do
    if coroutine.status(co) ~= "suspended" then break end
    note("resume", coroutine.resume(co, i))
  end
end

local function comparable(depth)
  return setmetatable({}, {
    __lt = function() return act(depth - 1) and true end,
    __le = function() return act(depth - 1) and true end,
    __eq = function() return act(depth - 1) and true end,
    __add = function() return act(depth - 1) end,
    __concat = function() return act(depth - 1) end,
    __index = function(_, k) return act(depth - 1) end,
    __newindex = function() act(depth - 1) end,
    __call = function(_, ...) return act(depth - 1), ... end,
    __len = function() return act(depth - 1) end,
    __unm = T.yield,
    __close = function(_, e) note("close", e) return act(depth - 1) end,
  })
end

local acts = {
  function(d) return yield(d) end,
  function(d) return T.yield("C", d) end,
  function(d) return yield() end,
  function(d) local a, b, c = yield(1, 2, 3) note(a, b, c) return a end,
  function(d) return (yield(random(100))) end,
  function(d) return select(-1, T.count(random(3))) end,
  function(d) error("e" .. random(9), 0) end,
  function(d) error({}) end,
  function(d) local ok, v = pcall(few, d, 1) note("pcall", ok, v) return v end,
  function(d) local ok, v = pcall(yield, "p") note("pcall", ok, v) return v end,
  function(d) return xpcall(few, function(m) note("handler", m) return m end, d) end,
  function(d) return select(2, T.pcall(few, d)) end,
  function(d) return select(2, T.call(few, d)) end,
  function(d) return T.callyield(function() return few(d) end) end,
  function(d) return T.pcallyield(function() return few(d) end) end,
  function(d) note("raw", T.pcallraw(few, d)) end,
  function(d) return T.yielderror("k" .. random(9)) end,
  function(d) local co = coroutine.create(few) drain(co, random(6)) threads[#threads + 1] = co return d end,
  function(d) local f = coroutine.wrap(few) for _ = 1, random(4) do note("wrap", f(d)) end end,
  function(d) local co = coroutine.create(few) note("C", T.resume(co, d)) note("C", T.resume(co)) end,
  function(d)
    local co = table.remove(threads)
    if co then
      if random(2) == 1 then drain(co, random(5)) else note("close", coroutine.status(co), pcall(coroutine.close, co)) end
    end
  end,
  function(d) local o <close> = comparable(d) return few(d, "scoped") end,
  function(d) do local o <close> = comparable(d) local p <close> = comparable(d) yield("in") end return "out" end,
  function(d) return (T.close(comparable(d), d)) end,
  function(d) for i in coroutine.wrap(function() for i = 1, random(3) do yield(i) few(d) end end) do note("for", i) end end,
  function(d) for i in function(_, i) few(d) if (i or 0) < 2 then return (i or 0) + 1 end end do note("iter", i) end end,
  function(d) local a, b = comparable(d), comparable(d) if a < b then return 1 elseif a == b then return 2 end return a <= b end,
  function(d) local a = comparable(d) return a + 1, #a, a.x end,
  function(d) local a = comparable(d) a.y = 1 return a(1, 2) end,
  function(d) return -comparable(d) end,
  function(d) return "s" .. comparable(d) .. "t" end,
  function(d) return (pcall(table.sort, {3, 1, 2, 5, 4}, function(a, b) few(d) return a < b end)) end,
  function(d) return (pcall(string.gsub, "abc", ".", function(c) return act(d - 1) and c end)) end,
  function(d) T.finalizer() collectgarbage("step") return 0 end,
  function(d) local function f(n) if n == 0 then return act(d - 1) end return (f(n - 1)) end return f(random(40)) end,
  function(d) local function f(n, ...) if n == 0 then return yield(...) end return f(n - 1, n, ...) end return f(random(5)) end,
  function(d) local a = table.pack(few(d)) return table.unpack(a, 1, a.n) end,
  function(d) return #{yield(1), yield(2), T.yield(3)} end,
}

function act(depth)
  if depth <= 0 then return random(3) == 1 and yield(depth) or depth end
  local n = random(#acts)
  note("act", n)
  return acts[n](depth)
end

finalized = 0
for i = 1, count do
  local co = coroutine.create(few)
  note("start", i, coroutine.resume(co, 4 + i % 4, i))
  for j = 1, 40 do
    if coroutine.status(co) ~= "suspended" then break end
    if random(10) == 1 then T.collecton(co) end
    note("main", coroutine.resume(co, "m" .. j, j))
  end
  if random(2) == 1 and coroutine.status(co) ~= "normal" then note("end", pcall(coroutine.close, co)) end
  while #threads > 20 do table.remove(threads, 1) end
  if random(20) == 1 then collectgarbage() end
end
print(table.concat(trace, "\n"))
print("digest", digest, "notes", #trace)
