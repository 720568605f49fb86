-- Type values: what a type of typed Lua is when the program runs.
--
-- Owns the builder that lowered programs call (`__type`), the base values (`Number`, `String`, ...) and `typeof`.
-- Runs once, when the guest image is made. It needs from the guest:
--   * the standard libraries, before their tables are sealed; sealing must keep the metatable of `string`, whose `__call` is set here;
--   * `__regex_compile(pattern) -> matcher | nil, message`, looked up when a `@pattern` is first used; `matcher(text)` tells whether
--     RE2 finds the pattern in the text, in linear time;
--   * `__is_error(value) -> boolean`, looked up when the type `error` is first checked; without it userdata and strings pass.
-- It must not keep anything about the values it checks.

local type, next, rawequal, rawget, rawlen, select, setmetatable, tostring, error, ipairs =
  type, next, rawequal, rawget, rawlen, select, setmetatable, tostring, error, ipairs
local math_type, floor = math.type, math.floor
local concat, format, find, sub, lower, gsub = table.concat, string.format, string.find, string.sub, string.lower, string.gsub
local globals = _G

-- Longer texts are cut in messages.
local MAX_SHOWN = 60
-- Types nest without end only by mistake; a message stops here.
local MAX_SHOWN_DEPTH = 4

-- The key of a type's description within the type: a table, so that no program can name it.
local INFO = {}
local Meta = {}
local methods = {}
local builder = {}
local ids = 0

local function is_type(value)
  return type(value) == "table" and rawget(value, INFO) ~= nil
end

-- A description has: kind, check(value, seen) -> boolean, and what its kind needs.
-- `seen` holds what is being checked against recursive types, so that a cyclic value ends.
local function make(info)
  ids = ids + 1
  info.id = ids
  return setmetatable({[INFO] = info}, Meta)
end

local function copy(info)
  local result = {}
  for key, value in next, info do
    result[key] = value
  end
  result.is, result.both = nil, nil
  return result
end

-- Gives the description that a reference leads to.
local function resolve(info)
  local steps = 0
  while info.kind == "ref" do
    local target = info.target
    if not target then
      target = info.get()
      if not is_type(target) then
        error("type '" .. info.name .. "' is used before its declaration", 0)
      end
      info.target = target
    end
    info = target[INFO]
    steps = steps + 1
    if steps > 100 then
      error("type '" .. info.name .. "' refers to nothing but itself", 0)
    end
  end
  return info
end

--------------------------------------------------------------------------------------------------------------------------
-- Words for messages

local function show_string(text)
  if #text > MAX_SHOWN then
    text = sub(text, 1, MAX_SHOWN) .. "..."
  end
  return (gsub(format("%q", text), "\\\n", "\\n"))
end

local function show_value(value)
  local kind = type(value)
  if kind == "string" then
    return show_string(value)
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  end
  return kind
end

local show

local function show_list(list, separator, depth)
  local parts = {}
  for index, item in ipairs(list) do
    local text = show(item, depth)
    if separator == " | " and item[INFO].kind == "function" and not item[INFO].name then
      text = "(" .. text .. ")"
    end
    parts[index] = text
  end
  return concat(parts, separator)
end

-- Gives a type as it would be written; `unfold` gives what its name stands for.
function show(t, depth, unfold)
  local info = t[INFO]
  if unfold then
    info = resolve(info)
  end
  if info.name and (not unfold or info.builtin) then
    return info.name
  end
  if depth > MAX_SHOWN_DEPTH then
    return "..."
  end
  local kind = info.kind
  depth = depth + 1
  if kind == "literal" then
    return show_value(info.value)
  elseif kind == "optional" then
    local inner = show(info.inner, depth)
    local inner_kind = info.inner[INFO].kind
    if not info.inner[INFO].name and (inner_kind == "union" or inner_kind == "function" or inner_kind == "intersection") then
      inner = "(" .. inner .. ")"
    end
    return inner .. "?"
  elseif kind == "union" then
    return show_list(info.variants, " | ", depth)
  elseif kind == "intersection" then
    return show_list(info.variants, " & ", depth)
  elseif kind == "array" then
    return "{" .. show(info.elem, depth) .. "}"
  elseif kind == "map" then
    return "{[" .. show(info.key, depth) .. "]: " .. show(info.val, depth) .. "}"
  elseif kind == "record" then
    local parts = {}
    for index, name in ipairs(info.names) do
      parts[index] = name .. (info.optional[index] and "?: " or ": ") .. show(info.types[index], depth)
    end
    return "{" .. concat(parts, ", ") .. "}"
  elseif kind == "function" then
    if not info.params then
      return "function"
    end
    local params = show_list(info.params, ", ", depth)
    if info.variadic then
      params = params .. (params == "" and "..." or ", ...")
    end
    local rets = show_list(info.rets, ", ", depth)
    return "(" .. params .. ") -> " .. (#info.rets == 1 and rets or "(" .. rets .. ")")
  end
  return kind
end

-- Says what was found instead of what was expected.
local function got(value, info)
  local kind = type(value)
  if kind == "number" and (info.kind == "integer" or info.literals) then
    return tostring(value)
  elseif info.literals and (kind == "string" or kind == "boolean") then
    return show_value(value)
  end
  return kind
end

local function field_path(path, name)
  if type(name) == "string" and find(name, "^[%a_][%w_]*$") then
    return path .. "." .. name
  end
  return path .. "[" .. show_value(name) .. "]"
end

-- Says why a value fails; called only after `check` said that it does.
local explain

local function mismatch(info, t, value, path)
  return path .. ": expected " .. show(t, 1, info.kind ~= "record") .. ", got " .. got(value, info)
end

local explainers = {
  record = function(info, t, value, path, depth)
    if type(value) ~= "table" then
      return path .. ": expected table, got " .. type(value)
    end
    for index, name in ipairs(info.names) do
      local field = value[name]
      if not info.checks[index](field) then
        return explain(info.types[index], field, field_path(path, name), depth)
      end
    end
    for key, item in next, value do
      for at = 1, #info.indexers, 2 do
        if not info.fields[key] and info.indexers[at][INFO].check(key) and not info.indexers[at + 1][INFO].check(item) then
          return explain(info.indexers[at + 1], item, field_path(path, key), depth)
        end
      end
    end
    return mismatch(info, t, value, path)
  end,
  array = function(info, t, value, path, depth)
    if type(value) ~= "table" then
      return path .. ": expected array, got " .. type(value)
    end
    local check, count = info.elem[INFO].check, 0
    for key in next, value do
      if math_type(key) ~= "integer" or key < 1 then
        return path .. ": expected array, got table with key " .. show_value(key)
      end
      count = count + 1
    end
    for index = 1, count do
      local item = value[index]
      if item == nil then
        return path .. ": expected array, got table with a gap at index " .. index
      end
      if not check(item) then
        return explain(info.elem, item, path .. "[" .. index .. "]", depth)
      end
    end
    return mismatch(info, t, value, path)
  end,
  map = function(info, t, value, path, depth)
    if type(value) ~= "table" then
      return path .. ": expected table, got " .. type(value)
    end
    for key, item in next, value do
      if not info.key[INFO].check(key) then
        return path .. ": expected key " .. show(info.key, 1) .. ", got " .. show_value(key)
      end
      if not info.val[INFO].check(item) then
        return explain(info.val, item, field_path(path, key), depth)
      end
    end
    return mismatch(info, t, value, path)
  end,
  intersection = function(info, t, value, path, depth)
    for _, variant in ipairs(info.variants) do
      if not variant[INFO].check(value) then
        return explain(variant, value, path, depth)
      end
    end
    return mismatch(info, t, value, path)
  end,
  optional = function(info, _, value, path, depth)
    local inner = resolve(info.inner[INFO])
    if inner.kind == "record" or inner.kind == "array" or inner.kind == "map" or inner.validators then
      if type(value) == "table" or inner.validators then
        return explain(info.inner, value, path, depth)
      end
    end
    return path .. ": expected " .. show(info.inner, 1) .. "?, got " .. got(value, inner)
  end,
  -- If exactly one variant fits the tags of the value, its complaint says more than the list of variants.
  union = function(info, t, value, path, depth)
    if type(value) == "table" then
      local candidate
      for _, variant in ipairs(info.variants) do
        local record = resolve(variant[INFO])
        if record.kind == "record" then
          local tagged, fits = false, true
          for index, name in ipairs(record.names) do
            local field = resolve(record.types[index][INFO])
            if field.kind == "literal" then
              tagged = true
              fits = fits and rawequal(field.value, value[name])
            end
          end
          if tagged and fits then
            if candidate then
              return mismatch(info, t, value, path)
            end
            candidate = variant
          end
        end
      end
      if candidate then
        return explain(candidate, value, path, depth)
      end
    else
      for _, variant in ipairs(info.variants) do
        local inner = resolve(variant[INFO])
        if inner.validators and inner.base(value) then
          return explain(variant, value, path, depth)
        end
      end
    end
    return mismatch(info, t, value, path)
  end,
}

function explain(t, value, path, depth)
  local info = resolve(t[INFO])
  if depth > 50 then
    return mismatch(info, t, value, path)
  end
  if info.validators then
    if not info.base(value) then
      return explain(info.plain, value, path, depth + 1)
    end
    for at = 1, #info.validators, 2 do
      local name, argument = info.validators[at], info.validators[at + 1]
      if name == "min" and type(value) == "number" and not (value >= argument) then
        return path .. ": expected min " .. tostring(argument) .. ", got " .. tostring(value)
      elseif name == "max" and type(value) == "number" and not (value <= argument) then
        return path .. ": expected max " .. tostring(argument) .. ", got " .. tostring(value)
      elseif name == "min_len" and type(value) ~= "number" and #value < argument then
        return path .. ": expected length of at least " .. argument .. ", got " .. #value
      elseif name == "max_len" and type(value) ~= "number" and #value > argument then
        return path .. ": expected length of at most " .. argument .. ", got " .. #value
      end
    end
    if type(value) == "string" and info.pattern then
      return path .. ": expected pattern " .. show_string(info.pattern) .. ", got " .. show_string(value)
    end
  end
  local explainer = explainers[info.kind]
  if explainer then
    return explainer(info, t, value, path, depth + 1)
  end
  return mismatch(info, t, value, path)
end

-- The path of a message starts with the name of the type, in small letters as a variable would be.
local function root(t)
  local name = t[INFO].name
  if not name or t[INFO].builtin then
    return "value"
  end
  return lower(sub(name, 1, 1)) .. sub(name, 2)
end

local function complaint(t, value)
  return explain(t, value, root(t), 1)
end

