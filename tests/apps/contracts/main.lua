local check = require("check")
local contract = require("contract")
local funcs = require("funcs")
local json = require("json")

check.case("a binding is opened by id and its methods are called", function()
    local greeter, err = contract.open("contracts:german")
    check.is_nil(err)
    check.equal(greeter:greet(), "hello")
    check.equal(greeter:greet_with_name("Alice"), "hello Alice")
    check.equal(select("#", greeter:greet()), 1)
end)

check.case("a method with _async gives a Future", function()
    local greeter = contract.open("contracts:german")
    local future, err = greeter:greet_with_name_async("Bob")
    check.is_nil(err)
    local payload, ok = future:response():receive()
    check.is_true(ok)
    check.equal(payload:data(), "hello Bob")
    check.is_true(future:is_complete())
    -- Again, and also on another instance.
    for _, instance in ipairs({ greeter, contract.open("contracts:german") }) do
        check.equal(instance:greet_with_name_async("Eve"):response():receive():data(), "hello Eve")
    end
end)

check.case("schemas describe and do not restrict: who wants more checks with json.validate", function()
    local greeter = contract.open("contracts:german")
    check.equal(greeter:greet_with_name(5), "hello 5")
    check.equal(greeter:lie(), "hello")
    local schema = contract.get("contracts:greeter"):method("greet_with_name").input_schemas[1].definition
    local ok, err = json.validate(schema, 5)
    check.equal(ok, false)
    check.equal(err:kind(), errors.INVALID)
end)

check.case("a method that is none is NotFound", function()
    check.fails(errors.NOT_FOUND, contract.open("contracts:german"):shout())
    check.fails(errors.NOT_FOUND, contract.open("contracts:german"):shout_async())
end)

check.case("a definition tells its methods", function()
    local greeter, err = contract.get("contracts:greeter")
    check.is_nil(err)
    check.equal(greeter:id(), "contracts:greeter")
    check.equal(#greeter:methods(), 5)
    check.equal(greeter:methods()[1].name, "greet")
    local method = greeter:method("greet_with_name")
    check.equal(method.description, "Returns a personal greeting")
    check.equal(method.input_schemas[1].definition, { type = "string" })
    check.equal(#method.output_schemas, 1)
    check.fails(errors.NOT_FOUND, greeter:method("shout"))
end)

check.case("implementations are found", function()
    check.equal(contract.find_implementations("contracts:greeter"), { "contracts:both", "contracts:german", "contracts:tenant" })
    check.equal(contract.get("contracts:greeter"):implementations(), { "contracts:both", "contracts:german", "contracts:tenant" })
    check.equal(contract.find_implementations("contracts:lonely"), {})
end)

check.case("an instance is told by its contracts", function()
    local greeter = contract.open("contracts:german")
    check.equal(contract.is(greeter, "contracts:greeter"), true)
    check.equal(contract.is(greeter, "contracts:lonely"), false)
    check.equal(contract.is({}, "contracts:greeter"), false)
    check.equal(contract.is(nil, "contracts:greeter"), false)
end)

check.case("whoever opens a binding for one contract has the methods of all, those of that one first", function()
    local farewell = contract.get("contracts:farewell"):open("contracts:both")
    check.equal({ farewell:leave("Ann"), farewell:greet_with_name("Bob") }, { "hello Ann", "hello Bob" })
    check.equal(type(farewell:greet()), "table")
    check.equal(contract.get("contracts:greeter"):open("contracts:both"):greet(), "hello")
    check.equal(contract.is(farewell, "contracts:greeter"), true)
end)

check.case("what does not exist is NotFound, what is no id Invalid", function()
    check.fails(errors.NOT_FOUND, contract.get("contracts:none"))
    check.fails(errors.NOT_FOUND, contract.open("contracts:none"))
    check.fails(errors.NOT_FOUND, contract.find_implementations("contracts:none"))
    check.fails(errors.INVALID, contract.open("none"))
    check.fails(errors.INVALID, contract.get(""))
    check.fails(errors.NOT_FOUND, contract.get("contracts:lonely"):open())
end)

check.case("context comes from scope, query and with_context", function()
    check.equal(contract.open("contracts:german", { tenant_id = "acme" }):context(), { tenant_id = "acme" })
    check.equal(
        contract.open("contracts:german?debug=true&timeout=5000&rate=1.5&name=a%20b"):context(),
        { debug = true, timeout = 5000, rate = 1.5, name = "a b" }
    )
    check.equal(contract.open("contracts:german?a=1&b=2", { b = "mine" }):context(), { a = 1, b = "mine" })
    local greeter = contract.get("contracts:greeter"):with_context({ request_id = "r" })
    check.equal(greeter:open(nil, { user_id = 7 }):context(), { request_id = "r", user_id = 7 })
    -- The definition itself did not change.
    check.equal(contract.get("contracts:greeter"):open():context(), {})
end)

check.case("a binding is opened only with the context it requires", function()
    local err = check.fails(errors.INVALID, contract.open("contracts:tenant"))
    check.contains(err:message(), "tenant_id")
    check.equal(contract.open("contracts:tenant", { tenant_id = 1 }):context(), { tenant_id = 1 })
    check.equal(contract.get("contracts:greeter"):open("contracts:tenant", { tenant_id = 2 }):context(), { tenant_id = 2 })
end)

check.case("options repeat calls whose errors are retryable", function()
    process.registry.register("contracts.counter")
    local called = process.listen("called")
    local options = { retry = { max_attempts = 3, initial_delay = 1 } }
    check.fails(errors.UNAVAILABLE, contract.open("contracts:german", nil, options):flaky())
    for _ = 1, 3 do
        check.receive(called)
    end
    check.fails(errors.UNAVAILABLE, contract.get("contracts:greeter"):with_options(options):open():flaky())
    for _ = 1, 3 do
        check.receive(called)
    end
    check.empty(called)
    process.unlisten(called)
end)

check.case("nobody calls under the name of a binding what it does not bind", function()
    local forged = funcs.new():with_options({ ["@binding"] = "contracts:german", ["@method"] = "greet" })
    check.fails(errors.NOT_FOUND, forged:call("contracts:context"))
end)

check.case("instances and definitions cannot be changed", function()
    local greeter = contract.open("contracts:german")
    check.raises("cannot be changed", function()
        greeter.greet = nil
    end)
    check.equal(greeter:greet(), "hello")
end)

return { main = check.main }
