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

--------------------------------------------------------------------------------------------------------------------------
-- The builder

local function of_lua_type(name)
  return function(value)
    return type(value) == name
  end
end

local function is_integer(value)
  if math_type(value) == "integer" then
    return true
  end
  return type(value) == "number" and value == floor(value) and value - value == 0
end

local function base(kind, shown, check, prim)
  return make({kind = kind, name = shown, builtin = true, check = check, prim = prim})
end

local function always()
  return true
end

builder.null = base("nil", "nil", function(value) return value == nil end, "nil")
builder.boolean = base("boolean", "boolean", of_lua_type("boolean"), "boolean")
builder.number = base("number", "number", of_lua_type("number"), "number")
builder.integer = base("integer", "integer", is_integer)
builder.string = base("string", "string", of_lua_type("string"), "string")
builder.any = base("any", "any", always)
builder.unknown = base("unknown", "unknown", always)
builder.never = base("never", "never", function() return false end)
builder.table = base("table", "table", of_lua_type("table"), "table")
builder.thread = base("thread", "thread", of_lua_type("thread"), "thread")
builder.userdata = base("userdata", "userdata", of_lua_type("userdata"), "userdata")
builder.fn = base("function", "function", of_lua_type("function"), "function")
builder.error = base("error", "error", function(value)
  local is_error = rawget(globals, "__is_error")
  if is_error then
    return is_error(value) or type(value) == "string"
  end
  return type(value) == "userdata" or type(value) == "string"
end)

function builder.opaque(name)
  return make({kind = "userdata", name = name, builtin = true, check = function(value)
    return type(value) == "userdata" or type(value) == "table"
  end})
end

function builder.lit(value)
  return make({kind = "literal", value = value, literals = true, check = function(other)
    return other == value
  end})
end

-- Gives a type its name; the structure is shared.
function builder.named(name, t)
  local info = copy(t[INFO])
  info.name = name
  info.builtin = nil
  return make(info)
end

function builder.ref(name, get)
  local info = {kind = "ref", name = name, get = get}
  -- The value is taken to fit while it is being checked: that is what a cyclic value needs.
  function info.check(value, seen)
    local check = resolve(info).check
    if type(value) ~= "table" then
      return check(value, seen)
    end
    seen = seen or {}
    local mine = seen[info]
    if not mine then
      mine = {}
      seen[info] = mine
    end
    if mine[value] then
      return true
    end
    mine[value] = true
    local fits = check(value, seen)
    if not fits then
      mine[value] = nil
    end
    return fits
  end
  return make(info)
end

function builder.opt(inner)
  local check = inner[INFO].check
  return make({kind = "optional", inner = inner, literals = inner[INFO].literals, check = function(value, seen)
    return value == nil or check(value, seen)
  end})
end

function builder.union(variants)
  local checks, literals = {}, {}
  local all_literal = true
  for index, variant in ipairs(variants) do
    local info = variant[INFO]
    checks[index] = info.check
    if info.kind == "literal" then
      literals[info.value] = true
    else
      all_literal = false
    end
  end
  local check
  if all_literal then
    check = function(value)
      return value ~= nil and value == value and literals[value] == true
    end
  else
    local count = #checks
    check = function(value, seen)
      for index = 1, count do
        if checks[index](value, seen) then
          return true
        end
      end
      return false
    end
  end
  return make({kind = "union", variants = variants, literals = all_literal, check = check})
end

function builder.inter(variants)
  local checks = {}
  for index, variant in ipairs(variants) do
    checks[index] = variant[INFO].check
  end
  local count = #checks
  return make({kind = "intersection", variants = variants, check = function(value, seen)
    for index = 1, count do
      if not checks[index](value, seen) then
        return false
      end
    end
    return true
  end})
end

function builder.array(elem)
  local check, prim = elem[INFO].check, elem[INFO].prim
  return make({kind = "array", elem = elem, check = function(value, seen)
    if type(value) ~= "table" then
      return false
    end
    local count = rawlen(value)
    for index = 1, count do
      local item = value[index]
      if prim then
        if type(item) ~= prim then
          return false
        end
      elseif item == nil or not check(item, seen) then
        return false
      end
    end
    -- Anything beside the items makes it no sequence: the keys are as many as the items.
    local keys = 0
    for _ in next, value do
      keys = keys + 1
    end
    return keys == count
  end})
end

function builder.map(key, val)
  local key_check, val_check = key[INFO].check, val[INFO].check
  return make({kind = "map", key = key, val = val, check = function(value, seen)
    if type(value) ~= "table" then
      return false
    end
    for name, item in next, value do
      if not key_check(name, seen) or not val_check(item, seen) then
        return false
      end
    end
    return true
  end})
end

-- `parts` holds name, type, flags (1 optional, 2 readonly) for each field; `indexers` key and value types.
function builder.record(parts, indexers)
  indexers = indexers or {}
  local names, types, checks, prims, optional, readonly, fields = {}, {}, {}, {}, {}, {}, {}
  local count = 0
  for at = 1, #parts, 3 do
    count = count + 1
    local name, t, flags = parts[at], parts[at + 1], parts[at + 2]
    local check = t[INFO].check
    names[count] = name
    types[count] = t
    prims[count] = t[INFO].prim or false
    optional[count] = flags % 2 == 1
    readonly[count] = flags >= 2
    fields[name] = t
    checks[count] = optional[count] and function(value, seen)
      return value == nil or check(value, seen)
    end or check
  end
  local function check(value, seen)
    if type(value) ~= "table" then
      return false
    end
    for index = 1, count do
      local field = value[names[index]]
      local prim = prims[index]
      if prim then
        if type(field) ~= prim and (field ~= nil or not optional[index]) then
          return false
        end
      elseif not checks[index](field, seen) then
        return false
      end
    end
    return true
  end
  local check_fields = check
  if #indexers > 0 then
    function check(value, seen)
      if not check_fields(value, seen) then
        return false
      end
      for key, item in next, value do
        if fields[key] == nil then
          for at = 1, #indexers, 2 do
            if indexers[at][INFO].check(key, seen) and not indexers[at + 1][INFO].check(item, seen) then
              return false
            end
          end
        end
      end
      return true
    end
  end
  return make({
    kind = "record", names = names, types = types, checks = checks, optional = optional, readonly = readonly,
    fields = fields, indexers = indexers, check = check,
  })
end

function builder.func(params, rets, variadic)
  return make({
    kind = "function", params = params, rets = rets, variadic = variadic, check = of_lua_type("function"), prim = "function",
  })
end

-- Narrows a type by validators: `list` holds name and argument of each.
function builder.check(t, list)
  local info = copy(t[INFO])
  local check = info.check
  local min, max, min_len, max_len, pattern, matcher
  for at = 1, #list, 2 do
    local name, argument = list[at], list[at + 1]
    if name == "min" then min = argument
    elseif name == "max" then max = argument
    elseif name == "min_len" then min_len = argument
    elseif name == "max_len" then max_len = argument
    elseif name == "pattern" then pattern = argument
    end
  end
  info.prim = nil
  info.validators = list
  info.base = check
  info.plain = t
  info.pattern = pattern
  info.check = function(value, seen)
    if not check(value, seen) then
      return false
    end
    if min and type(value) == "number" and not (value >= min) then
      return false
    end
    if max and type(value) == "number" and not (value <= max) then
      return false
    end
    if (min_len or max_len) and (type(value) == "string" or type(value) == "table") then
      local length = #value
      if min_len and length < min_len or max_len and length > max_len then
        return false
      end
    end
    if pattern and type(value) == "string" then
      if not matcher then
        local compile = rawget(globals, "__regex_compile")
        if not compile then
          error("@pattern needs a guest with regular expressions", 0)
        end
        local message
        matcher, message = compile(pattern)
        if not matcher then
          error("@pattern(" .. show_string(pattern) .. "): " .. tostring(message), 0)
        end
      end
      return matcher(value) and true or false
    end
    return true
  end
  return make(info)
end

-- `define(...)` gives the definition and after it the bound of each parameter, or false.
function builder.generic(name, tparams, define)
  return make({kind = "generic", name = name, tparams = tparams, define = define, instances = {}, check = function()
    return false
  end})
end

function builder.apply(generic, args)
  if not is_type(generic) or resolve(generic[INFO]).kind ~= "generic" then
    return generic
  end
  local info = resolve(generic[INFO])
  local keys, shown = {}, {}
  for index in ipairs(info.tparams) do
    local arg = args[index]
    if not is_type(arg) then
      error("type " .. info.name .. " needs " .. #info.tparams .. " type argument(s), argument " .. index .. " is " .. type(arg), 3)
    end
    keys[index] = arg[INFO].id
    shown[index] = show(arg, 1)
  end
  local key = concat(keys, ",")
  local instance = info.instances[key]
  if instance then
    return instance
  end
  local parts = info.define(table.unpack(args, 1, #info.tparams))
  for index, parameter in ipairs(info.tparams) do
    local bound = parts[index + 1]
    if bound and not builder.subtype(args[index], bound) then
      error("type " .. info.name .. ": " .. parameter .. " must be " .. show(bound, 1) .. ", got " .. shown[index], 3)
    end
  end
  instance = builder.named(info.name .. "<" .. concat(shown, ", ") .. ">", parts[1])
  info.instances[key] = instance
  return instance
end

-- The type that a library offers under a name; anything if it offers none.
function builder.lib(library, name)
  if type(library) == "table" then
    local t = library[name]
    if is_type(t) then
      return t
    end
  end
  return builder.any
end

--------------------------------------------------------------------------------------------------------------------------
-- Subtyping, for comparison

local subtype

local function all_subtypes(list, other, seen)
  for _, item in ipairs(list) do
    if not subtype(item, other, seen) then
      return false
    end
  end
  return true
end

local function record_subtype(a, b, seen)
  for index, name in ipairs(b.names) do
    local field = a.fields[name]
    if not field then
      if not b.optional[index] then
        return false
      end
    elseif not subtype(field, b.types[index], seen) then
      return false
    elseif not b.readonly[index] and not subtype(b.types[index], field, seen) then
      return false
    else
      for at, other in ipairs(a.names) do
        if other == name and a.optional[at] and not b.optional[index] then
          return false
        end
      end
    end
  end
  return true
end

local function function_subtype(a, b, seen)
  if not b.params then
    return true
  elseif not a.params then
    return false
  end
  for index, param in ipairs(a.params) do
    if not subtype(b.params[index] or builder.null, param, seen) then
      return false
    end
  end
  for index, ret in ipairs(b.rets) do
    if not a.rets[index] or not subtype(a.rets[index], ret, seen) then
      return false
    end
  end
  return true
end

local literal_bases = {string = "string", number = "number", boolean = "boolean"}

function subtype(left, right, seen)
  if rawequal(left, right) then
    return true
  end
  local a, b = resolve(left[INFO]), resolve(right[INFO])
  if a == b or b.kind == "any" or b.kind == "unknown" or a.kind == "never" then
    return true
  end
  local key = a.id .. "," .. b.id
  if seen[key] then
    return true
  end
  seen[key] = true
  local kind, other = a.kind, b.kind
  if b.validators then
    return a.validators ~= nil and a.plain == b.plain and concat(a.validators, "\0") == concat(b.validators, "\0")
  elseif kind == "any" then
    return false
  elseif kind == "union" then
    return all_subtypes(a.variants, right, seen)
  elseif kind == "optional" then
    return subtype(builder.null, right, seen) and subtype(a.inner, right, seen)
  elseif other == "union" then
    for _, variant in ipairs(b.variants) do
      if subtype(left, variant, seen) then
        return true
      end
    end
    return false
  elseif other == "optional" then
    return kind == "nil" or subtype(left, b.inner, seen)
  elseif other == "intersection" then
    for _, variant in ipairs(b.variants) do
      if not subtype(left, variant, seen) then
        return false
      end
    end
    return true
  elseif kind == "intersection" then
    for _, variant in ipairs(a.variants) do
      if subtype(variant, right, seen) then
        return true
      end
    end
    return false
  elseif kind == "literal" then
    if other == "literal" then
      return a.value == b.value
    elseif other == "integer" then
      return math_type(a.value) == "integer"
    end
    return literal_bases[type(a.value)] == other
  elseif kind == "integer" then
    return other == "integer" or other == "number"
  elseif other == "table" then
    return kind == "table" or kind == "record" or kind == "array" or kind == "map"
  elseif kind ~= other then
    return false
  elseif kind == "array" then
    return subtype(a.elem, b.elem, seen) and subtype(b.elem, a.elem, seen)
  elseif kind == "map" then
    return subtype(a.key, b.key, seen) and subtype(b.key, a.key, seen)
      and subtype(a.val, b.val, seen) and subtype(b.val, a.val, seen)
  elseif kind == "record" then
    return record_subtype(a, b, seen)
  elseif kind == "function" then
    return function_subtype(a, b, seen)
  elseif kind == "userdata" and b.name ~= "userdata" then
    return a.name == b.name
  end
  return kind ~= "generic"
end

function builder.subtype(a, b)
  return subtype(a, b, {})
end

--------------------------------------------------------------------------------------------------------------------------
-- What programs see

local function iterate(list)
  local index = 0
  return function()
    index = index + 1
    return list[index]
  end
end

local function need(t, member, what)
  local info = resolve(t[INFO])
  if info[member] == nil then
    error("type " .. show(t, 1) .. " has no " .. what .. ": it is of kind " .. info.kind, 3)
  end
  return info[member]
end

function methods.kind(t)
  return resolve(t[INFO]).kind
end

function methods.name(t)
  return show(t, 1)
end

function methods.fields(t)
  local names, types = need(t, "names", "fields"), resolve(t[INFO]).types
  local index = 0
  return function()
    index = index + 1
    return names[index], types[index]
  end
end

function methods.elem(t)
  return need(t, "elem", "elements")
end

function methods.key(t)
  return need(t, "key", "keys")
end

function methods.val(t)
  return need(t, "val", "values")
end

function methods.inner(t)
  return need(t, "inner", "inner type")
end

function methods.variants(t)
  return iterate(need(t, "variants", "variants"))
end

function methods.params(t)
  return iterate(need(t, "params", "parameters"))
end

function methods.ret(t)
  return need(t, "rets", "results")[1] or builder.null
end

function methods.tparams(t)
  return iterate(need(t, "tparams", "type parameters"))
end

-- `T:is(v)` and `T.is(v)` are the same, so the function knows its type.
local function make_is(t)
  local check = t[INFO].check
  return function(...)
    local value, second = ...
    if rawequal(value, t) and select("#", ...) > 1 then
      value = second
    end
    if check(value) then
      return value, nil
    end
    return nil, complaint(t, value)
  end
end

-- A field that is named like a method: its type, which as a method of its record does what the method does.
local function field_and_method(t, field, method)
  local info = copy(field[INFO])
  info.owner, info.method = t, method
  return make(info)
end

function Meta.__index(t, key)
  local info = rawget(t, INFO)
  if key == "is" then
    local is = info.is
    if not is then
      is = make_is(t)
      info.is = is
    end
    if info.kind ~= "record" or not info.fields.is then
      return is
    end
  end
  local fields = info.fields
  if not fields and info.kind == "ref" then
    fields = resolve(info).fields
  end
  local field = fields and fields[key]
  local method = methods[key] or key == "is" and function(_, ...) return info.is(...) end
  if field and method then
    local both = info.both
    if not both then
      both = {}
      info.both = both
    end
    both[key] = both[key] or field_and_method(t, field, method)
    return both[key]
  end
  return field or method or nil
end

function Meta.__call(t, value, ...)
  local info = rawget(t, INFO)
  if info.owner and rawequal(value, info.owner) then
    return info.method(value, ...)
  end
  if info.kind == "generic" then
    return builder.apply(t, {value, ...})
  end
  if info.check(value) then
    return value
  end
  error(complaint(t, value), 2)
end

function Meta.__newindex()
  error("a type cannot be changed", 2)
end

function Meta.__eq(a, b)
  return is_type(a) and is_type(b) and subtype(a, b, {}) and subtype(b, a, {})
end

function Meta.__le(a, b)
  return subtype(a, b, {})
end

function Meta.__lt(a, b)
  return subtype(a, b, {}) and not subtype(b, a, {})
end

function Meta.__tostring(t)
  return show(t, 1)
end

function Meta.__pairs()
  return function() end
end

Meta.__name = "type"
Meta.__metatable = "type"

local by_lua_type = {
  ["nil"] = builder.null, boolean = builder.boolean, string = builder.string, table = builder.table,
  ["function"] = builder.fn, thread = builder.thread, userdata = builder.userdata,
}

function typeof(value)
  local kind = type(value)
  if kind == "number" then
    return math_type(value) == "integer" and builder.integer or builder.number
  end
  return by_lua_type[kind]
end

__type = builder
Number, String, Boolean, Integer = builder.number, builder.string, builder.boolean, builder.integer
Any, Nil, Table, Function = builder.any, builder.null, builder.table, builder.fn
number, integer, boolean = builder.number, builder.integer, builder.boolean

-- `string` stays the library and validates when it is called.
setmetatable(string, {__call = function(_, value)
  if type(value) == "string" then
    return value
  end
  error(complaint(builder.string, value), 2)
end})
