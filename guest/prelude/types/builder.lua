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

