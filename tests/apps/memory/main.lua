local check = require("check")

check.case("memory exhausted is an error that can be caught, and there is room again", function()
    local got = check.outcome("memory:caught")
    check.equal(got.ok, false)
    check.contains(got.message, "not enough memory")
    check.equal(got.room, 1000)
end)

check.case("uncaught, it ends the process with an error", function()
    local value, err = check.outcome("memory:uncaught")
    check.is_nil(value)
    check.contains(tostring(err), "memory")
end)

check.case("growing strings and tables end the same way", function()
    local got = check.outcome("memory:strings")
    check.equal(got.ok, false)
    local value, err = check.outcome("memory:tables_forever")
    check.is_nil(value)
    check.equal(type(err), "userdata")
end)

check.case("coroutines and channels without end are stopped", function()
    for _, id in ipairs({ "memory:coroutines_forever", "memory:channels_forever" }) do
        local value, err = check.outcome(id)
        check.is_true(value == true or type(err) == "userdata", id)
    end
end)

check.case("other processes notice nothing", function()
    local pids = {}
    for index = 1, 4 do
        pids[index] = check.watch("memory:uncaught")
    end
    for number = 1, 50 do
        check.equal((check.outcome("memory:fine", number)), number)
    end
    for _, pid in ipairs(pids) do
        check.equal(type(check.event(process.event.EXIT, pid).result.error), "userdata")
    end
end)

check.case("garbage is collected", function()
    check.is_true((check.outcome("memory:flat")))
end)

return { main = check.main }
