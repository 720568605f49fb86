local check = require("check")

-- The tests run with TZ=UTC.
local MOMENT = 1735484645 -- 2024-12-29 15:04:05, a Sunday

check.case("time counts seconds", function()
    check.equal(math.type(os.time()), "integer")
    check.is_true(os.time() > 1700000000)
    check.equal(os.time({ year = 2024, month = 12, day = 29, hour = 15, min = 4, sec = 5 }), MOMENT)
end)

check.case("fields that carry over", function()
    check.equal(os.time({ year = 2024, month = 14, day = 1, hour = 0 }), os.time({ year = 2025, month = 2, day = 1, hour = 0 }))
end)

check.case("a date in any form", function()
    for form, text in pairs({
        ["!%Y-%m-%d %H:%M:%S"] = "2024-12-29 15:04:05",
        ["!%y %I %p"] = "24 03 PM",
        ["!%A %a %B %b"] = "Sunday Sun December Dec",
        ["!%w %j"] = "0 364",
        ["!%x %X"] = "12/29/24 15:04:05",
        ["!%c"] = "Sun Dec 29 15:04:05 2024",
        ["!%%"] = "%",
        ["%Y-%m-%d %H:%M:%S"] = "2024-12-29 15:04:05",
    }) do
        check.equal(os.date(form, MOMENT), text, form)
    end
end)

check.case("a date table", function()
    check.equal(os.date("!*t", MOMENT), {
        year = 2024, month = 12, day = 29, hour = 15, min = 4, sec = 5, wday = 1, yday = 364, isdst = false,
    })
    check.equal(os.time(os.date("*t", MOMENT)), MOMENT)
end)

check.case("dates before 1970 and far ahead", function()
    check.equal(os.date("!%Y-%m-%d", -86400), "1969-12-31")
    check.equal(os.date("!%Y-%m-%d", 253402300799), "9999-12-31")
end)

check.case("an unknown form raises", function()
    check.raises("", os.date, "%Ez", MOMENT)
    check.raises("", os.date, "%", MOMENT)
    check.raises("", os.date, "!%Q", MOMENT)
end)

check.case("clock and difftime", function()
    local before = os.clock()
    check.equal(math.type(before), "float")
    check.is_true(os.clock() >= before)
    check.equal(os.difftime(MOMENT + 60, MOMENT), 60.0)
end)

check.case("the platform has the name that programs look for", function()
    check.equal(os.platform, "wippy")
end)

return { main = check.main }
