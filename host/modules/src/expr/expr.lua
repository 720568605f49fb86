local native = ...
local Program = {__name = "Program", __metatable = false}
Program.__index = Program

-- What an expression can look at of a value. Functions, channels and the like are left out, and so is a table inside itself:
-- programs hand over whole objects of which the expression needs a field.
local function plain(value, done)
    local kind = type(value)
    if kind == "userdata" then
        local ok, message = pcall(function() return value:message() end)
        return ok and message or nil
    elseif kind == "function" or kind == "thread" then
        return nil
    elseif kind ~= "table" then
        return value
    elseif done[value] ~= nil then
        return done[value] or nil
    end
    done[value] = false
    local copy = {}
    for key, item in next, value do
        local name = type(key)
        if name == "string" or name == "number" then copy[key] = plain(item, done) end
    end
    done[value] = copy
    return copy
end

local function evaluate(run, program, env)
    local value, err = run(program, env)
    if err and type(env) == "table" and tostring(err):find("^argument%[2%]") then
        return run(program, plain(env, {}))
    end
    return value, err
end

function Program:run(env) return evaluate(native.run, self[1], env) end

return {
    eval = function(source, ...)
        if select("#", ...) == 0 then return native.eval(source) end
        return evaluate(native.eval, source, (...))
    end,
    compile = function(...)
        local source, err = native.compile(...)
        if err then return nil, err end
        return setmetatable({source}, Program)
    end,
}
