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
