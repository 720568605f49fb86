local check = require("check")
local time = require("time")

local mirrored = process.listen("mirrored")
local EXIT = process.event.EXIT
local mirror

-- What comes back from another process.
local function mirror_of(value)
    mirror = mirror or check.spawn("copies:mirror", process.pid())
    assert(process.send(mirror, "value", value))
    return (check.receive(mirrored))
end

check.case("values arrive as they are", function()
    for name, value in pairs({
        integer = 1, negative = -1, largest = math.maxinteger, smallest = math.mininteger, float = 1.0, tiny = 5e-324, infinite = 1 / 0,
        text = "text", empty = "", bytes = "\0\xff\xfe", unicode = "\u{1F600}", yes = true, no = false, list = { 1, 2, 3 },
        record = { a = 1, b = { c = "d" } }, hollow = {}, nested = { {}, { {} } }, mixed = { 1, 2, key = "value" }, sparse = { [1] = 1, [3] = 3 },
        far = { [1000000] = 1 }, zero = { [0] = 0 }, negative_key = { [-5] = 1 }, float_key = { [1.5] = 1 }, boolean_key = { [true] = 1 },
    }) do
        check.equal(mirror_of(value), value, name)
    end
    local nan = mirror_of({ 0 / 0 })[1]
    check.is_true(nan ~= nan)
    check.equal(tostring(mirror_of(-0.0)), "-0.0")
end)

check.case("a copy is a copy", function()
    local inner = { 1 }
    local got = mirror_of({ a = inner, b = inner })
    check.is_true(got.a ~= got.b)
    table.insert(got.a, 2)
    check.equal(inner, { 1 })
end)

check.case("what was sent does not change afterwards", function()
    local value, ch = { 1 }, process.listen("later")
    process.send(process.pid(), "later", value)
    value[1] = 2
    check.equal(check.receive(ch), { 1 })
    process.unlisten(ch)
end)

check.case("metatables stay behind", function()
    check.is_nil(getmetatable(mirror_of(setmetatable({ 1 }, { __index = { x = 1 } }))))
end)

check.case("errors cross with everything they carry", function()
    local err = mirror_of({ err = errors.new({ message = "m", kind = errors.TIMEOUT, retryable = true, details = { list = { 1 } } }) }).err
    check.equal(type(err), "userdata")
    check.equal({ err:message(), err:kind(), err:retryable() }, { "m", "Timeout", true })
    check.equal(err:details(), { list = { 1 } })
end)

check.case("what cannot be encoded is Invalid, and the message names the path", function()
    local cycle = { name = "x" }
    cycle.inner = { cycle }
    for path, value in pairs({
        ["users[3].callback"] = { users = { 1, 2, { callback = print } } },
        ["[2]"] = { 1, coroutine.create(print) },
        ["inner[1]"] = cycle,
        ["time"] = { time = time.now() },
        ["deep.er"] = { deep = { er = function() end } },
    }) do
        local err = check.fails(errors.INVALID, process.send(process.pid(), "broken", value))
        check.contains(err:message(), path)
    end
    check.fails(errors.INVALID, process.send(process.pid(), "broken", print))
    check.fails(errors.INVALID, process.send(process.pid(), "broken", { [{}] = 1 }))
end)

check.case("a message that could not be encoded is not sent in part", function()
    local ch = process.listen("broken")
    check.fails(errors.INVALID, process.send(process.pid(), "broken", 1, print))
    check.is_true(process.send(process.pid(), "broken", "whole"))
    check.equal(check.receive(ch), "whole")
    check.empty(ch)
    process.unlisten(ch)
end)

check.case("arguments and results obey the same rule", function()
    check.contains(check.fails(errors.INVALID, process.spawn("copies:feeds", "lib:processes", { f = print })), "f")
    check.contains(check.fails(errors.INVALID, process.exec("copies:feeds", "lib:processes", { g = print })), "g")
end)

check.case("nesting is bounded", function()
    local value = {}
    for _ = 1, 100000 do
        value = { value }
    end
    local ok, err = process.send(process.pid(), "deep", value)
    check.is_nil(ok)
    check.is_true(err:kind() == errors.INVALID or err:kind() == errors.LIMIT_EXCEEDED)
end)

check.case("a channel crosses in arguments: values from the other process", function()
    local ch = channel.new()
    local pid = check.watch("copies:feeds", ch, 100)
    for number = 1, 100 do
        check.equal(check.receive(ch), number)
    end
    local value, ok = check.receive(ch)
    check.is_nil(value)
    check.equal(ok, false)
    check.equal(check.event(EXIT, pid).result.value, "fed")
end)

check.case("a channel crosses in arguments: values to the other process", function()
    for _, size in ipairs({ 0, 10 }) do
        local ch = channel.new(size)
        local pid = check.watch("copies:drains", ch)
        for number = 1, 100 do
            check.is_true(ch:send(number))
        end
        ch:close()
        check.equal(check.event(EXIT, pid).result.value, { sum = 5050, count = 100 })
    end
end)

check.case("buffered values go with the channel", function()
    local ch = channel.new(5)
    for number = 1, 3 do
        ch:send(number)
    end
    local pid = check.watch("copies:drains", ch)
    ch:send(4)
    ch:close()
    check.equal(check.event(EXIT, pid).result.value, { sum = 10, count = 4 })
end)

check.case("a receiver that already waits gets what comes from outside", function()
    local ch, got = channel.new(), channel.new(1)
    coroutine.spawn(function()
        got:send((ch:receive()))
    end)
    time.sleep("1ms")
    check.watch("copies:feeds", ch, 1)
    check.equal(check.receive(got), 1)
end)

check.case("select over channels of two processes", function()
    local from, to = channel.new(), channel.new()
    check.watch("copies:relay", from, to)
    local sent, received, sum = 0, 0, 0
    while received < 50 do
        local cases = { to:case_receive() }
        if sent < 50 then
            cases[2] = from:case_send(sent + 1)
        end
        local ready = channel.select(cases)
        if ready.channel == from then
            sent = sent + 1
        else
            received = received + 1
            sum = sum + ready.value
        end
    end
    check.equal(sum, 2550)
    from:close()
    check.equal(select(2, check.receive(to)), false)
end)

check.case("many processes share one channel", function()
    local ch, pids = channel.new(), {}
    for index = 1, 10 do
        pids[index] = check.watch("copies:drains", ch)
    end
    for number = 1, 1000 do
        ch:send(number)
    end
    ch:close()
    local sum, count = 0, 0
    for _, pid in ipairs(pids) do
        local value = check.event(EXIT, pid).result.value
        sum, count = sum + value.sum, count + value.count
    end
    check.equal({ sum, count }, { 500500, 1000 })
end)

check.case("sending into a channel that the other process closed raises", function()
    local ch = channel.new()
    local pid = check.watch("copies:feeds", ch, 0)
    check.event(EXIT, pid)
    check.raises("send on closed channel", ch.send, ch, 1)
end)

check.case("a channel survives the end of a process that held it", function()
    local ch, holds = channel.new(1), process.listen("holds")
    local pid = check.watch("copies:holds", ch, process.pid())
    check.receive(holds)
    process.terminate(pid)
    check.event(EXIT, pid)
    ch:send("mine")
    check.equal(check.receive(ch), "mine")
    process.unlisten(holds)
end)

check.case("a channel in a message to oneself, and inside a table", function()
    local box, ch = process.listen("box"), channel.new(1)
    process.send(process.pid(), "box", { deep = { ch } })
    local got = check.receive(box).deep[1]
    got:send("through")
    check.equal(check.receive(ch), "through")
    process.unlisten(box)
end)

check.case("values in a shared channel are copies, too", function()
    local ch, box = channel.new(2), process.listen("box")
    process.send(process.pid(), "box", ch)
    check.receive(box)
    local value = { 1 }
    ch:send(value)
    value[1] = 2
    check.equal(check.receive(ch), { 1 })
    check.raises("", ch.send, ch, print)
    process.unlisten(box)
end)

return { main = check.main }
