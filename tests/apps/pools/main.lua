local check = require("check")
local funcs = require("funcs")

local running

local function start(entry, name)
    local future, err = funcs.async(entry, name)
    check.is_nil(err)
    return future
end

local function finish(call)
    process.send(call.pid, "go")
end

check.case("as many calls run at once as the pool has places, as many wait as it has buffers", function()
    process.registry.register("pools")
    running = process.listen("running")
    local futures = {}
    for number = 1, 4 do
        futures[number] = start("pools:narrow", number)
    end
    local first, second = check.receive(running), check.receive(running)
    check.equal(first.name + second.name, 3)

    local err = check.fails(errors.RATE_LIMITED, funcs.call("pools:narrow", 5))
    check.equal(err:retryable(), true)
    check.contains(err:message(), "2 calls run and 2 wait")
    check.empty(running)

    finish(first)
    local third = check.receive(running)
    check.equal(third.name, 3)
    finish(second)
    local fourth = check.receive(running)
    finish(third)
    finish(fourth)
    for number = 1, 4 do
        check.equal(check.receive(futures[number]:response()):data(), number)
    end
end)

check.case("a call that is given up while it waits takes no place", function()
    local futures = { start("pools:narrow", "a"), start("pools:narrow", "b") }
    local calls = { check.receive(running), check.receive(running) }
    local given_up, waits = start("pools:narrow", "c"), start("pools:narrow", "d")
    given_up:cancel()
    local another = start("pools:narrow", "e")
    finish(calls[1])
    finish(calls[2])
    for _ = 1, 2 do
        local call = check.receive(running)
        check.is_true(call.name == "d" or call.name == "e")
        finish(call)
    end
    for _, future in ipairs({ futures[1], futures[2], waits, another }) do
        check.is_true(check.receive(future:response()) ~= nil)
    end
    check.equal(given_up:is_canceled(), true)
end)

check.case("a function that calls itself beyond its pool fails instead of waiting for itself", function()
    check.equal(funcs.call("pools:recursive", 0), 0)
    check.fails(errors.RATE_LIMITED, funcs.call("pools:recursive", 1))
end)

check.case("an inline pool bounds nothing", function()
    local futures, calls = {}, {}
    for number = 1, 3 do
        futures[number] = start("pools:inline", number)
    end
    for number = 1, 3 do
        calls[number] = check.receive(running)
    end
    for number = 1, 3 do
        -- They started in any order.
        finish(calls[number])
        check.receive(futures[calls[number].name]:response())
    end
end)

check.case("each call starts from a fresh image, whatever the pool", function()
    for _ = 1, 3 do
        check.equal(funcs.call("pools:image"), 1)
    end
end)

return { main = check.main }
