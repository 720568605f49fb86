local check = require("check")
local time = require("time")

local function utc(year, month, day, hour, minute, second, nanosecond)
    return time.date(year, month, day, hour or 0, minute or 0, second or 0, nanosecond or 0, time.utc)
end

check.case("the units are nanoseconds", function()
    check.equal({ time.NANOSECOND, time.MICROSECOND, time.MILLISECOND, time.SECOND, time.MINUTE, time.HOUR }, {
        1, 1000, 1000000, 1000000000, 60000000000, 3600000000000,
    })
end)

check.case("months and weekdays", function()
    check.equal({ time.JANUARY, time.DECEMBER, time.SUNDAY, time.SATURDAY }, { 1, 12, 0, 6 })
end)

check.case("now goes on and is near os.time", function()
    local first = time.now()
    check.is_true(math.abs(first:unix() - os.time()) <= 2)
    time.sleep("2ms")
    check.is_true(time.now():after(first))
    check.is_true(time.now():unix_nano() > first:unix_nano())
end)

check.case("sleep takes a string, a number of nanoseconds, or a Duration, and waits that long", function()
    for _, duration in ipairs({ "5ms", 5 * time.MILLISECOND, (time.parse_duration("5ms")) }) do
        local before = time.now()
        time.sleep(duration)
        check.is_true(time.now():sub(before):milliseconds() >= 5)
    end
    time.sleep(0)
end)

check.case("a broken duration is Invalid", function()
    check.fails(errors.INVALID, time.parse_duration("soon"))
    check.fails(errors.INVALID, time.parse_duration(""))
    check.fails(errors.INVALID, time.parse_duration("5"))
    check.fails(errors.INVALID, time.timer("-1s"))
    check.fails(errors.INVALID, time.ticker(0))
end)

check.case("after fires once", function()
    local before = time.now()
    local ch = time.after("5ms")
    check.receive(ch)
    check.is_true(time.now():sub(before):milliseconds() >= 5)
    check.empty(ch)
end)

check.case("timers fire in the order of their times", function()
    local late, early = time.after("20ms"), time.after("2ms")
    check.is_true(channel.select({ late:case_receive(), early:case_receive() }).channel == early)
    check.receive(late)
end)

check.case("a timer can be stopped and set again", function()
    local timer = time.timer("1h")
    check.is_true(rawequal(timer:response(), timer:channel()))
    check.is_true(timer:stop())
    check.equal(timer:stop(), false)
    timer:reset("2ms")
    check.receive(timer:response())
    check.equal(timer:stop(), false)
end)

check.case("a stopped timer does not fire", function()
    local timer = time.timer("2ms")
    timer:stop()
    time.sleep("10ms")
    check.empty(timer:response())
end)

check.case("a ticker fires again and again until it is stopped", function()
    local ticker = time.ticker("2ms")
    for _ = 1, 3 do
        check.receive(ticker:response())
    end
    ticker:stop()
    local left = ticker:response()
    while not channel.select({ left:case_receive(), default = true }).default do
    end
    time.sleep("10ms")
    check.empty(left)
end)

check.case("a ticker that nobody reads keeps no more than what is due", function()
    local ticker = time.ticker("1ms")
    time.sleep("20ms")
    ticker:stop()
    local kept = 0
    while not channel.select({ ticker:response():case_receive(), default = true }).default do
        kept = kept + 1
    end
    check.is_true(kept <= 20, "kept ticks")
end)

check.case("durations", function()
    local duration = time.parse_duration("1h30m45s500ms")
    check.equal(duration:seconds(), 5445.5)
    check.is_true(math.abs(duration:minutes() - 5445.5 / 60) < 1e-9)
    check.is_true(math.abs(duration:hours() - 5445.5 / 3600) < 1e-9)
    check.is_true(duration:milliseconds() == 5445500)
    check.is_true(duration:microseconds() == 5445500000)
    check.is_true(duration:nanoseconds() == 5445500000000)
    check.is_true(time.parse_duration("1.5s"):milliseconds() == 1500)
    check.is_true(time.parse_duration("10us"):nanoseconds() == 10000)
    check.is_true(time.parse_duration("7ns"):nanoseconds() == 7)
    check.is_true(time.parse_duration("-1m"):seconds() == -60)
    check.is_true(time.parse_duration(2 * time.SECOND):seconds() == 2)
end)

check.case("a date has its parts", function()
    local t = utc(2024, time.DECEMBER, 29, 15, 4, 5, 123456789)
    check.equal({ t:date() }, { 2024, 12, 29 })
    check.equal({ t:clock() }, { 15, 4, 5 })
    check.equal({ t:year(), t:month(), t:day(), t:hour(), t:minute(), t:second(), t:nanosecond() }, { 2024, 12, 29, 15, 4, 5, 123456789 })
    check.equal(t:weekday(), time.SUNDAY)
    check.equal(t:year_day(), 364)
    check.equal(t:is_zero(), false)
end)

check.case("a date carries over", function()
    check.equal(utc(2024, 13, 32, 25):format_rfc3339(), "2025-02-02T01:00:00Z")
    check.equal(utc(2023, 2, 29):format(time.DATE_ONLY), "2023-03-01")
end)

check.case("unix time", function()
    local t = time.unix(1703862245, 500000000):utc()
    check.equal(t:unix(), 1703862245)
    check.equal(t:unix_nano(), 1703862245500000000)
    check.equal(t:format_rfc3339(), "2023-12-29T15:04:05Z")
    check.equal(time.unix(0, 0):utc():format_rfc3339(), "1970-01-01T00:00:00Z")
    check.equal(time.unix(-1, 0):utc():format_rfc3339(), "1969-12-31T23:59:59Z")
end)

check.case("adding and subtracting", function()
    local t = utc(2024, 1, 31, 12)
    check.equal(t:add("24h"):format_rfc3339(), "2024-02-01T12:00:00Z")
    check.equal(t:add(90 * time.MINUTE):format_rfc3339(), "2024-01-31T13:30:00Z")
    check.equal(t:add((time.parse_duration("-1s"))):format_rfc3339(), "2024-01-31T11:59:59Z")
    check.equal(t:add_date(0, 1, 0):format(time.DATE_ONLY), "2024-03-02")
    check.equal(t:add_date(1, 0, -1):format(time.DATE_ONLY), "2025-01-30")
    check.is_true(t:add("24h"):sub(t):hours() == 24)
end)

check.case("comparing", function()
    local early, late = utc(2024, 1, 1), utc(2024, 1, 2)
    check.is_true(early:before(late) and late:after(early))
    check.is_true(early:equal(utc(2024, 1, 1)))
    check.equal(early:equal(late), false)
    check.equal(early:after(late), false)
end)

check.case("rounding and truncating", function()
    local t, hour = utc(2024, 1, 1, 10, 40, 10), time.parse_duration("1h")
    check.equal(t:round(hour):format(time.TIME_ONLY), "11:00:00")
    check.equal(t:truncate(hour):format(time.TIME_ONLY), "10:00:00")
end)

check.case("formats", function()
    local t = utc(2024, 12, 29, 15, 4, 5, 123456789)
    for layout, text in pairs({
        [time.RFC3339] = "2024-12-29T15:04:05Z",
        [time.RFC3339NANO] = "2024-12-29T15:04:05.123456789Z",
        [time.RFC822] = "29 Dec 24 15:04 UTC",
        [time.RFC822Z] = "29 Dec 24 15:04 +0000",
        [time.RFC850] = "Sunday, 29-Dec-24 15:04:05 UTC",
        [time.RFC1123] = "Sun, 29 Dec 2024 15:04:05 UTC",
        [time.RFC1123Z] = "Sun, 29 Dec 2024 15:04:05 +0000",
        [time.DATE_TIME] = "2024-12-29 15:04:05",
        [time.DATE_ONLY] = "2024-12-29",
        [time.TIME_ONLY] = "15:04:05",
        [time.KITCHEN] = "3:04PM",
        [time.STAMP] = "Dec 29 15:04:05",
        [time.STAMP_MILLI] = "Dec 29 15:04:05.123",
        [time.STAMP_MICRO] = "Dec 29 15:04:05.123456",
        [time.STAMP_NANO] = "Dec 29 15:04:05.123456789",
        ["Mon Jan 2, 2006"] = "Sun Dec 29, 2024",
        ["plain text"] = "plain text",
        [""] = "",
    }) do
        check.equal(t:format(layout), text, layout)
    end
end)

check.case("parsing", function()
    check.equal(time.parse(time.RFC3339, "2024-12-29T15:04:05Z"):unix(), 1735484645)
    check.equal(time.parse(time.RFC3339, "2024-12-29T15:04:05+02:00"):utc():format_rfc3339(), "2024-12-29T13:04:05Z")
    check.equal(time.parse("2006-01-02", "2024-12-29"):format_rfc3339(), "2024-12-29T00:00:00Z")
    check.equal(time.parse(time.DATE_TIME, "2024-02-29 01:02:03"):unix(), 1709168523)
    check.equal({ time.parse("15:04:05", "14:30:00"):clock() }, { 14, 30, 0 })
end)

check.case("a fraction of a second or a day is left away", function()
    check.equal(time.unix(1703862245678 / 1000):unix_nano(), 1703862245000000000)
    check.equal(time.unix(-1.5, 2.5):unix_nano(), -999999998)
    check.equal(time.date(2024.9, 2, 58 / 2, 12.5):format(time.DATE_TIME), "2024-02-29 12:00:00")
    check.raises("no integer representation", time.unix, 1e300)
    check.raises("no integer representation", time.unix, 0 / 0)
end)

check.case("errors that come again are not retryable", function()
    for _, call in ipairs({
        function() return time.parse(time.RFC3339, "soon") end,
        function() return time.parse_duration("soon") end,
        function() return time.load_location("") end,
    }) do
        local _, err = call()
        check.equal(err:retryable(), false)
    end
end)

check.case("what does not parse is Invalid", function()
    check.fails(errors.INVALID, time.parse(time.RFC3339, "invalid"))
    check.fails(errors.INVALID, time.parse(time.DATE_ONLY, "2024-13-01"))
    check.fails(errors.INVALID, time.parse(time.DATE_ONLY, "2024-02-30"))
    check.fails(errors.INVALID, time.parse(time.DATE_ONLY, ""))
    check.fails(errors.INVALID, time.parse(time.DATE_ONLY, "2024-01-01 and more"))
end)

check.case("zones of the world are there", function()
    local moment = time.date(2024, time.DECEMBER, 25, 10, 30, 0, 0, time.utc)
    local ny, err = time.load_location("America/New_York")
    check.is_nil(err)
    check.equal(moment:in_location(ny):format_rfc3339(), "2024-12-25T05:30:00-05:00")
    check.equal(moment:add_date(0, 6, 0):in_location(ny):format_rfc3339(), "2025-06-25T06:30:00-04:00")
    check.equal(moment:in_location(time.load_location("Asia/Tokyo")):hour(), 19)
    check.fails(errors.NOT_FOUND, time.load_location("Unknown/Zone"))
end)

check.case("a fixed zone", function()
    local ist = time.fixed_zone("IST", 5 * 3600 + 30 * 60)
    local t = time.date(2024, 1, 15, 12, 0, 0, 0, ist)
    check.equal(t:format_rfc3339(), "2024-01-15T12:00:00+05:30")
    check.equal(t:utc():format_rfc3339(), "2024-01-15T06:30:00Z")
    check.equal(t:location():string(), "IST")
    check.equal(t:utc():in_location(ist):hour(), 12)
end)

check.case("wrong arguments", function()
    check.raises("", time.sleep)
    check.raises("", time.sleep, {})
    check.raises("", time.after)
end)

return { main = check.main }
