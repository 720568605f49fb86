-- The objects of the module `eval_runner`.
local native = ...

local programs = setmetatable({}, { __mode = "k" })

local Program = {}
Program.__index = Program
Program.__name = "eval_runner.Program"
Program.__metatable = false
Program.__newindex = function()
    error("a program cannot be changed", 2)
end

function Program:method()
    return programs[self].method
end

function Program:modules()
    return programs[self].modules
end

local module = {}

function module.run(options)
    if type(options) ~= "table" then
        error(("bad argument #1 to 'run' (table expected, got %s)"):format(type(options)), 2)
    end
    -- Long code is compiled by itself, beside what other processes do.
    if type(options.source) == "string" and #options.source > 32768 or options.custom_modules ~= nil then
        local code, err = native.prepare(options)
        if not code then
            return nil, err
        end
        return native.run(code)
    end
    return native.run(options)
end

function module.compile(source, method, options)
    if type(source) ~= "string" then
        error(("bad argument #1 to 'compile' (string expected, got %s)"):format(type(source)), 2)
    end
    if options ~= nil and type(options) ~= "table" then
        error(("bad argument #3 to 'compile' (table expected, got %s)"):format(type(options)), 2)
    end
    options = options or {}
    local modules, err = native.compile({
        source = source,
        method = method,
        modules = options.modules,
        imports = options.imports,
        allow_classes = options.allow_classes,
    })
    if not modules then
        return nil, err
    end
    local program = setmetatable({}, Program)
    programs[program] = { method = method or "", modules = options.modules or {} }
    return program
end

return module
