local check = require("check")
local time = require("time")

check.case("zones of the database have their offsets", function()
    local berlin = time.load_location("Europe/Berlin")
    check.equal(berlin:string(), "Europe/Berlin")
    local winter = time.date(2024, 1, 15, 12, 0, 0, 0, berlin)
    check.equal(winter:utc():hour(), 11)
    local summer = time.date(2024, 7, 15, 12, 0, 0, 0, berlin)
    check.equal(summer:utc():hour(), 10)
    check.equal(summer:format("2006-01-02 15:04:05 -0700 MST"), "2024-07-15 12:00:00 +0200 CEST")
    local future = time.date(2050, 7, 15, 12, 0, 0, 0, berlin)
    check.equal(future:utc():hour(), 10)
end)

check.case("many zones are there", function()
    for _, name in ipairs({
        "America/New_York", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney",
        "Africa/Cairo", "Pacific/Auckland", "Europe/London", "Etc/GMT+3", "EST5EDT", "US/Pacific",
    }) do
        local location, err = time.load_location(name)
        check.is_nil(err, name)
        check.equal(location:string(), name)
    end
    local tokyo = time.load_location("Asia/Tokyo")
    check.equal(time.unix(0):in_location(tokyo):hour(), 9)
end)

check.case("a name that is none is an error", function()
    check.fails(errors.NOT_FOUND, time.load_location("Europe/Nowhere"))
    check.fails(errors.NOT_FOUND, time.load_location("../../etc/passwd"))
    check.fails(errors.INVALID, time.load_location(""))
end)

return { main = check.main }
