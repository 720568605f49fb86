local check = require("check")
local eval_runner = require("eval_runner")

local run = eval_runner.run

check.case("the documented example: a method of the table that the code returns", function()
    local result, err = run({
        source = [[
            local function double(x)
                return x * 2
            end
            return { double = double }
        ]],
        method = "double",
        args = { 21 },
    })
    check.is_nil(err)
    check.equal(result, 42)
end)

check.case("code without a method gets the arguments and gives its result", function()
    check.equal(run({ source = "local a, b = ... return a + b", args = { 1, 2 } }), 3)
    check.equal(run({ source = "return select('#', ...)" }), 0)
end)

check.case("modules are those that are named", function()
    check.equal(run({ source = "return require('json').encode({ a = 1 })", modules = { "json" } }), '{"a":1}')
    local err = check.fails(errors.INTERNAL, run({ source = "return require('json')" }))
    check.contains(err:message(), "module 'json' not found")
    check.fails(errors.INVALID, run({ source = "return 1", modules = { "no_such" } }))
end)

check.case("imports are libraries of the registry, with what they need for themselves", function()
    local source = "local data = ... return require('utils').format(data)"
    check.equal(run({ source = source, imports = { utils = "evaluating:utilities" }, args = { { key = "value" } } }), '{"key":"value"}')
    check.fails(errors.NOT_FOUND, run({ source = "return 1", imports = { x = "evaluating:none" } }))
end)

check.case("an import can have modules that the code itself does not", function()
    local imports = { pricing = { id = "evaluating:pricing", modules = { "funcs" } } }
    check.equal(run({ source = "return require('pricing').quote(...)", imports = imports, args = { 4 } }), 8)
    check.fails(errors.INTERNAL, run({ source = "return require('funcs')", imports = imports }))
    check.equal(run({ source = "return tostring(funcs)", imports = imports }), "nil")
end)

check.case("tables stand as modules and as globals", function()
    local tables = { sdk = { version = "1.0.0", list = { 1, 2.5, "x\n\"\0" }, on = true } }
    check.equal(run({ source = "return sdk.version", custom_modules = tables }), "1.0.0")
    check.equal(run({ source = "return require('sdk').list", custom_modules = tables }), tables.sdk.list)
end)

check.case("context is what is given, and nothing of the caller's", function()
    check.equal(run({ source = "return 'Hello, ' .. ctx.get('user')", context = { user = "Alice" } }), "Hello, Alice")
    check.equal(run({ source = "return ctx.all()" }), {})
end)

check.case("classes that give capabilities must be allowed", function()
    local err = check.fails(errors.PERMISSION_DENIED, run({ source = "return 1", modules = { "store" } }))
    check.contains(err:message(), "storage")
    check.equal(run({ source = "return type(store.get)", modules = { "store" }, allow_classes = { "storage" } }), "function")
end)

check.case("to allow network is enough for http_client", function()
    local options = { source = "return type(http_client.get)", modules = { "http_client" } }
    local err = check.fails(errors.PERMISSION_DENIED, run(options))
    check.contains(err:message(), "network")
    options.allow_classes = { "network" }
    check.equal(run(options), "function")
end)

check.case("what only computes needs no class", function()
    local source = "return crypto.hmac.sha256('key', 'data') == hash.hmac_sha256('data', 'key')"
    check.equal(run({ source = source, modules = { "crypto", "hash" } }), true)
end)

check.case("nobody hands on what it does not have itself", function()
    local options = { source = "return 1", modules = { "sql" }, allow_classes = { "storage", "io" } }
    check.fails(errors.PERMISSION_DENIED, run(options))
end)

check.case("processes are out of reach unless they are allowed, also by way of the globals", function()
    check.equal(run({ source = "return tostring(process) .. tostring(subscribe)" }), "nilnil")
    for _, source in ipairs({
        "return require('process').spawn('evaluating:main', 'lib:processes')",
        "return _G.process.send(..., 'x', 1)",
        "return _G.process.terminate(...)",
        "return _G.process.registry.register('evaluated')",
        "return _G.process.upgrade()",
    }) do
        check.fails(errors.PERMISSION_DENIED, run({ source = source, args = { process.pid() } }))
    end
    check.equal(run({ source = "return process.send(..., 'x', 1)", args = { process.pid() }, allow_classes = { "process" } }), true)
end)

check.case("it is a process of its own", function()
    check.is_true(run({ source = "return _G.process.pid()" }) ~= process.pid())
    run({ source = "leaked = 1" })
    check.is_nil(rawget(_G, "leaked"))
end)

check.case("errors keep their kind and name the line", function()
    local err = check.fails(errors.INTERNAL, run({ source = "\n\nerror('boom')" }))
    check.contains(err:message(), "eval:3: boom")
    check.fails(errors.CONFLICT, run({ source = "return nil, errors.new({ message = 'm', kind = errors.CONFLICT })" }))
    err = check.fails(errors.INTERNAL, run({ source = "x = = 1" }))
    check.contains(err:message(), "eval:1")
    check.fails(errors.INTERNAL, run({ source = "return 1 end" }))
    check.fails(errors.INVALID, run({ source = "return {}", method = "none" }))
    check.fails(errors.INVALID, run({ source = "return print" }))
    check.fails(errors.INVALID, run({}))
    check.fails(errors.INVALID, run({ source = "return 1", modules = "json" }))
end)

check.case("an endless loop ends with its time, an endless table with its memory", function()
    check.fails(errors.TIMEOUT, run({ source = "while true do end", timeout = "20ms" }))
    check.fails(errors.LIMIT_EXCEEDED, run({ source = "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end" }))
end)

check.case("compile tells method and modules, and what is wrong", function()
    local program, err = eval_runner.compile("return { go = function() end }", "go", { modules = { "json" } })
    check.is_nil(err)
    check.equal(program:method(), "go")
    check.equal(program:modules(), { "json" })
    check.fails(errors.INTERNAL, eval_runner.compile("return (", "go"))
end)

return { main = check.main }
