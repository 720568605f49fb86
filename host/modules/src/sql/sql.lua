-- What the module is in every process that names it; the query builder is loaded by those that use it.
local native, kit = ...

local sql = { get = native.get, type = native.type, isolation = native.isolation }
local lazy = {}

function lazy.NULL()
    return native.null()
end

function lazy.as()
    return {
        int = native.as_int,
        float = native.as_float,
        text = native.as_text,
        binary = native.as_binary,
        null = function()
            return sql.NULL
        end,
    }
end

function lazy.builder()
    return kit.part("builder", native, kit, sql)
end

return setmetatable(sql, {
    __metatable = false,
    __index = function(_, key)
        local make = lazy[key]
        if type(make) == "function" then
            local value = make()
            lazy[key] = { value }
            return value
        end
        return make and make[1]
    end,
})
