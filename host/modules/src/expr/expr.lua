local native = ...
local Program = {__name = "Program", __metatable = false}
Program.__index = Program
function Program:run(env) return native.run(self[1], env) end
return {
    eval = native.eval,
    compile = function(...)
        local source, err = native.compile(...)
        if err then return nil, err end
        return setmetatable({source}, Program)
    end,
}
