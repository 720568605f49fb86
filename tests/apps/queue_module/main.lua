local queue = require("queue")
local registry = require("registry")
local time = require("time")
local check = require("check")

process.registry.register("queue_test")
local handled = process.listen("handled")
local buried = process.listen("buried")
local settled = process.listen("settled")
local waiting = process.listen("waiting")

local TASKS, KEPT = "queue_module:tasks", "queue_module:kept"

local function publish(id, body, headers, options)
    local ok, err = queue.publish(id, body, headers, options)
    check.is_nil(err)
    check.is_true(ok)
end

local function settle(id)
    for _ = 1, 500 do
        local info = assert(queue.info(id))
        if info.message_count == 0 then
            return
        end
        time.sleep("10ms")
    end
    error("the queue does not get empty", 2)
end

check.case("a message reaches the function with its headers", function()
    publish(TASKS, { n = 1, list = { 1, 2.5, "x" } }, { color = "red", weight = 3, fast = true })
    local told = check.receive(handled)
    check.equal(told.n, 1)
    check.equal(told.attempt, 1)
    check.equal(told.body, { n = 1, list = { 1, 2.5, "x" } })
    check.equal(told.headers, { color = "red", weight = 3, fast = true })
    check.equal(told.color, "red")
    check.is_nil(told.none)
    check.equal(told.actor, "service:workers")
    check.match(told.id, "^%x+%-%x+%-4%x+%-%x+%-%x+$")
    settle(TASKS)
end)

check.case("what fails comes again", function()
    for _, act in ipairs({ "fail_once", "error_once", "nack_once" }) do
        publish(TASKS, { n = act, act = act })
        local first, second = check.receive(handled), check.receive(handled)
        check.equal({ first.attempt, second.attempt }, { 1, 2 })
        check.equal(first.id, second.id)
        settle(TASKS)
    end
end)

check.case("what fails too often goes to the dead letters", function()
    publish(TASKS, { n = 7, act = "fail" }, { color = "black" })
    for attempt = 1, 3 do
        check.equal(check.receive(handled).attempt, attempt)
    end
    local letter = check.receive(buried)
    check.equal(letter.n, 7)
    check.equal(letter.headers.color, "black")
    check.equal(letter.headers.x_dead_letter_queue, TASKS)
    check.equal(letter.headers.x_dead_letter_attempts, 3)
    check.contains(letter.headers.x_dead_letter_reason, "made to fail")
    settle(TASKS)
end)

check.case("a function can settle its message early, once", function()
    publish(TASKS, { n = 8, act = "ack_then_fail" })
    check.receive(handled)
    check.equal(check.receive(settled), { ok = true, kind = "Invalid" })
    settle(TASKS)
    check.equal(assert(queue.info(TASKS)).message_count, 0)
end)

check.case("as many functions run as the consumer says", function()
    for n = 1, 5 do
        publish(TASKS, { n = n, act = "wait" })
    end
    local pids = {}
    for n = 1, 3 do
        pids[n] = check.receive(waiting)
    end
    local info = assert(queue.info(TASKS))
    check.equal({ info.in_flight, info.ready, info.message_count, info.consumer_count }, { 3, 2, 5, 1 })
    for _, pid in ipairs(pids) do
        check.is_true((process.send(pid, "go", true)))
    end
    for _ = 1, 2 do
        check.is_true((process.send(check.receive(waiting), "go", true)))
    end
    for _ = 1, 5 do
        check.receive(handled)
    end
    settle(TASKS)
end)

check.case("a killed function gives its message back", function()
    publish(TASKS, { n = 9, act = "wait" })
    check.equal(check.receive(handled).attempt, 1)
    check.is_true((process.terminate(check.receive(waiting))))
    check.equal(check.receive(handled).attempt, 2)
    check.is_true((process.send(check.receive(waiting), "go", true)))
    settle(TASKS)
end)

check.case("a message can be put off", function()
    local start = time.now()
    publish(TASKS, { n = 10 }, nil, { delay = "100ms" })
    publish(TASKS, { n = 11 }, nil, { delay = 0 })
    check.equal(check.receive(handled).n, 11)
    check.equal(check.receive(handled).n, 10)
    check.is_true(time.now():sub(start):milliseconds() >= 99)
    check.fails("Invalid", queue.publish(TASKS, { n = 1 }, nil, { delay = "soon" }))
    check.fails("Invalid", queue.publish(TASKS, { n = 1 }, nil, { delay = -1 }))
end)

check.case("a durable queue works alike", function()
    local archivists = assert(registry.get("queue_module:archivists"))
    archivists.data.lifecycle.auto_start = true
    assert(registry.snapshot():changes():update(archivists):apply())
    settle(KEPT)
    local seen = {}
    for n = 1, 50 do
        publish(KEPT, { n = n })
    end
    for _ = 1, 50 do
        seen[check.receive(handled).n] = true
    end
    for n = 1, 50 do
        check.is_true(seen[n])
    end
    publish(KEPT, { n = 51, act = "fail_once" })
    check.equal({ check.receive(handled).attempt, check.receive(handled).attempt }, { 1, 2 })
    settle(KEPT)
end)

check.case("a full queue says so", function()
    for n = 1, 3 do
        publish("queue_module:idle", { n = n })
    end
    local err = check.fails("RateLimited", queue.publish("queue_module:idle", { n = 4 }))
    check.equal(err:retryable(), true)
    check.equal(err:details().limit, "max_length")
    check.equal(assert(queue.info("queue_module:idle")).consumer_count, 0)
end)

check.case("data of every type but nothing", function()
    for _, body in ipairs({ "text", 5, 1.5, true, { 1, 2 } }) do
        check.is_true(queue.publish("queue_module:idle", body) ~= true)
    end
    check.fails("Invalid", queue.publish(TASKS))
    check.fails("Invalid", queue.publish(TASKS, nil))
    check.fails("Invalid", queue.publish(TASKS, {}))
    check.fails("Invalid", queue.publish("", { n = 1 }))
    check.fails("Internal", queue.publish("queue_module:none", { n = 1 }))
    check.fails("Internal", queue.info("queue_module:none"))
    check.fails("Invalid", queue.publish(TASKS, { n = 1 }, { [1] = "x" }))
    check.fails("Invalid", queue.publish(TASKS, { n = 1 }, { x = {} }))
    check.fails("Invalid", queue.publish(TASKS, { f = function() end }))
    check.fails("Invalid", queue.publish("queue_module:main", { n = 1 }))
    check.contains(check.fails("Unavailable", queue.publish("queue_module:far", { n = 1 })), "queue.driver.redb")
    check.is_true(not pcall(queue.publish))
    check.is_true(not pcall(queue.publish, {}, { n = 1 }))
    check.is_true(not pcall(queue.publish, TASKS, { n = 1 }, "x"))
    check.is_true(not pcall(queue.info, {}))
    local deep = {}
    for _ = 1, 500 do
        deep = { deep }
    end
    check.is_true(queue.publish(TASKS, deep) == nil)
end)

check.case("there is no message outside of a consumer", function()
    check.contains(check.fails("Invalid", queue.message()), "queue.consumer")
end)

return { main = check.main }
