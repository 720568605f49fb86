-- Shared by the tests: `case` drives a coroutine to its end and compares what happened with a line of text.

local M = {}

local function show(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    local value = parts[i]
    local kind = type(value)
    if kind == "string" then
      parts[i] = (value:gsub("(%w+%.lua:)%d+:", "%1"))
    elseif kind == "nil" or kind == "boolean" or kind == "number" then
      parts[i] = tostring(value)
    else
      parts[i] = kind
    end
  end
  return table.concat(parts, ",", 1, parts.n)
end
M.show = show

-- Resumes `co` until it ends; the nth resume passes "r<n>". Gives e.g. "y(1) y() ok(2)".
function M.drive(co, ...)
  local steps = {}
  local function step(alive, ...)
    if not alive then
      steps[#steps + 1] = "error(" .. show(...) .. ")"
    elseif coroutine.status(co) == "suspended" then
      steps[#steps + 1] = "y(" .. show(...) .. ")"
      return true
    else
      steps[#steps + 1] = "ok(" .. show(...) .. ")"
    end
  end
  local n = 0
  local more = step(coroutine.resume(co, ...))
  while more do
    n = n + 1
    more = step(coroutine.resume(co, "r" .. n))
  end
  return table.concat(steps, " ")
end

function M.case(title, expected, f, ...)
  local got = M.drive(coroutine.create(f), ...)
  print(title, got)
  if got ~= expected then
    error(title .. "\n  expected: " .. expected .. "\n  got:      " .. got, 2)
  end
end

function M.equal(title, expected, ...)
  local got = show(...)
  print(title, got)
  if got ~= expected then
    error(title .. "\n  expected: " .. expected .. "\n  got:      " .. got, 2)
  end
end

return M
