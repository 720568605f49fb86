local check = require("check")
local metrics = require("metrics")

check.case("everything is recorded", function()
    check.equal(metrics.counter_inc("requests_total", { method = "POST" }), true)
    check.equal(metrics.counter_inc("requests_total"), true)
    check.equal(metrics.counter_add("bytes_total", 1024, { direction = "out" }), true)
    check.equal(metrics.gauge_set("queue_depth", 42.5, { queue = "emails" }), true)
    check.equal(metrics.gauge_inc("connections"), true)
    check.equal(metrics.gauge_dec("connections"), true)
    check.equal(metrics.histogram("duration_seconds", 0.123, { method = "GET", code = 200 }), true)
end)

check.case("what makes no sense is an error", function()
    check.fails(errors.INVALID, metrics.counter_add("bytes_total", -1))
    check.fails(errors.INVALID, metrics.gauge_set("requests_total", 1))
    check.fails(errors.INVALID, metrics.counter_inc(""))
    check.fails(errors.INVALID, metrics.gauge_set("queue_depth", 0 / 0))
    check.fails(errors.INVALID, metrics.histogram("duration_seconds", 1, { le = "1" }))
    check.fails(errors.INVALID, metrics.counter_inc("requests_total", { a = {} }))
    check.raises("number expected", metrics.counter_add, "bytes_total", "x")
    check.raises("table expected", metrics.counter_inc, "requests_total", "x")
end)

check.case("labels cannot grow without end", function()
    local err
    for number = 1, 6000 do
        local _
        _, err = metrics.counter_inc("hostile_total", { id = number })
        if err then
            break
        end
    end
    check.equal(err:kind(), errors.LIMIT_EXCEEDED)
    check.equal(metrics.counter_inc("requests_total"), true)
end)

return { main = check.main }
