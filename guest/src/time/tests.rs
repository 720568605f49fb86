//! The module `time` as Lua code sees it, without waiting.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::host::double;
use crate::testing::Lua;

fn lua() -> Lua {
    double::reset();
    double::with(|host| host.now = 1_735_484_645_123_456_789);
    Lua::new(&[(c"time", super::open)])
}

#[test]
fn moments_come_from_the_clock_components_and_numbers() {
    lua().run(
        r##"
        local now = time.now()
        assert(now:format_rfc3339() == "2024-12-29T15:04:05Z" and now:unix() == 1735484645 and now:unix_nano() == 1735484645123456789)
        assert(now:location():string() == "Local" and now:location() == time.localtz and tostring(now) == "2024-12-29 15:04:05.123456789 +0000 UTC")
        local t = time.date(2024, time.DECEMBER, 25, 10, 30, 0, 0, time.utc)
        assert(t:format_rfc3339() == "2024-12-25T10:30:00Z" and t:location():string() == "UTC" and tostring(time.utc) == "UTC")
        assert(time.unix(1703862245, 0):utc():format_rfc3339() == "2023-12-29T15:04:05Z")
        assert(time.unix(1703862245, 500000000):nanosecond() == 500000000 and time.unix(0, -1):unix() == -1 and time.unix(0, -1):nanosecond() == 999999999)
        assert(time.date(2024, 1, 15):hour() == 0 and time.date(2024, 14, 0, 25, 61, 61, 1000000001):format(time.RFC3339NANO) == "2025-02-01T02:02:02.000000001Z")
        assert(time.date(1, 1, 1, 0, 0, 0, 0, time.utc):is_zero() and not now:is_zero())
        local none, err = time.date(2^40 | 0, 1, 1); assert(none == nil and err:kind() == "Invalid")
        none, err = time.unix(math.maxinteger, 0); assert(none == nil and err:kind() == "Invalid")
        assert(not pcall(time.date, "x", 1, 1) and not pcall(time.date, 2024, 1, 1, 0, 0, 0, 0, "UTC") and not pcall(time.unix))
    "##,
    );
}

#[test]
fn moments_have_parts_and_arithmetic() {
    lua().run(
        r##"
        local t = time.now()
        local year, month, day = t:date(); assert(year == 2024 and month == 12 and day == 29)
        local hour, min, sec = t:clock(); assert(hour == 15 and min == 4 and sec == 5)
        assert(t:year() == 2024 and t:month() == 12 and t:day() == 29 and t:hour() == 15 and t:minute() == 4 and t:second() == 5 and t:nanosecond() == 123456789)
        assert(t:weekday() == time.SUNDAY and t:year_day() == 364)
        local tomorrow = t:add("24h"); local diff = tomorrow:sub(t)
        assert(diff:hours() == 24 and t:add(5 * time.MINUTE):minute() == 9 and t:add(time.parse_duration("1h30m")):hour() == 16 and t:add(0.5e9):nanosecond() == 623456789)
        assert(t:before(tomorrow) and tomorrow:after(t) and t:equal(t:utc()) and t == t:utc() and t < tomorrow and t <= t and not (t > tomorrow) and t ~= tomorrow and t ~= 5)
        assert(time.date(2024, 1, 31):add_date(0, 1, 0):format(time.DATE_ONLY) == "2024-03-02" and t:add_date(1, 0, -7):format(time.DATE_ONLY) == "2025-12-22")
        local hour_long, quarter, none = time.parse_duration("1h"), time.parse_duration("15m"), time.parse_duration(0)
        assert(t:round(hour_long):format(time.TIME_ONLY) == "15:00:00" and t:add("26m"):round(hour_long):hour() == 16 and t:truncate(quarter):format(time.KITCHEN) == "3:00PM")
        assert(t:round(none) == t and t:truncate(none) == t)
        local _, err = t:add("soon"); assert(err:kind() == "Invalid" and err:message():find("soon", 1, true))
        assert(not pcall(t.add, t, {}) and not pcall(t.add, t) and not pcall(t.sub, t, 5) and not pcall(t.round, t, "1h") and not pcall(t.year, 5) and not pcall(t.format, t))
        local far = time.unix(1 << 55, 0)
        assert(select(2, far:add("1h")):kind() == "Invalid" and far:sub(t):nanoseconds() == math.maxinteger and far:unix_nano() == math.maxinteger)
        for _, layout in ipairs{time.RFC3339, time.RFC850, "002 __2 _2 .999"} do assert(far:format(layout) and time.unix(-(1 << 55), 0):format(layout)) end
        assert(t:format("Mon Jan 2, 2006") == "Sun Dec 29, 2024" and t:format(time.STAMP_MICRO) == "Dec 29 15:04:05.123456" and getmetatable(t) == false)
    "##,
    );
}

#[test]
fn text_becomes_moments() {
    lua().run(
        r##"
        local t = assert(time.parse(time.RFC3339, "2024-12-29T15:04:05Z")); assert(t:unix() == 1735484645 and t:location() == time.utc)
        assert(time.parse("2006-01-02", "2024-12-29"):location() == time.localtz and time.parse("15:04:05", "14:30:00"):year() == 0)
        local est = time.parse("2006-01-02 15:04:05 MST", "2024-12-29 14:30:00 EST"); assert(est:format("15:04 MST -0700") == "14:30 EST +0000" and est:location():string() == "EST")
        assert(time.parse("15:04 MST", "14:30 GMT+3"):format("15:04 -0700 MST") == "14:30 +0300 GMT+3")
        local ist = time.fixed_zone("IST", 5*3600 + 30*60)
        local t = time.parse("2006-01-02 15:04", "2024-12-29 14:30", ist); assert(t:format_rfc3339() == "2024-12-29T14:30:00+05:30" and t:utc():hour() == 9)
        t = time.parse(time.RFC3339, "2024-12-29T15:04:05+02:00"); assert(t:format(time.RFC3339) == "2024-12-29T15:04:05+02:00" and t:location():string() == "")
        assert(time.parse(time.RFC3339, "2024-12-29T15:04:05+05:30", ist):location() == ist)
        local none, err = time.parse(time.RFC3339, "invalid"); assert(none == nil and errors.is(err, errors.INVALID) and err:message():find('cannot parse "invalid" as "2006"', 1, true))
        none, err = time.parse("2006", "2024x"); assert(err:message():find('extra text "x"', 1, true))
        none, err = time.parse("2006-01-02", "2023-02-29"); assert(err:message():find("day out of range", 1, true))
        assert(not pcall(time.parse, 5, "x") and not pcall(time.parse, "x") and not pcall(time.parse, "2006", "2024", "UTC"))
    "##,
    );
}

#[test]
fn durations_are_read_and_shown() {
    lua().run(
        r##"
        local d = time.parse_duration("1h30m45s500ms")
        assert(d:hours() == 1 + 1845.5 / 3600 and d:minutes() == 90 + 45.5 / 60 and d:seconds() == 5445.5 and d:milliseconds() == 5445500 and d:microseconds() == 5445500000 and d:nanoseconds() == 5445500000000)
        assert(tostring(d) == "1h30m45.5s" and time.parse_duration(5 * time.MINUTE):minutes() == 5 and time.parse_duration(d) == d and time.parse_duration("1s") < d and d >= d)
        for _, bad in ipairs{"", "5", "1x", "h", "1h 2m", "999999999h", 0/0, 1/0, 1e300} do
            local none, err = time.parse_duration(bad); assert(none == nil and err:kind() == "Invalid" and err:message():find("invalid duration", 1, true), tostring(bad))
        end
        assert(not pcall(time.parse_duration, {}) and not pcall(time.parse_duration) and not pcall(time.parse_duration, true) and not pcall(d.hours, time.now()))
    "##,
    );
}

#[test]
fn locations_shift_the_clock() {
    lua().run(
        r##"
        assert(time.load_location("UTC") == time.utc and time.load_location("Local") == time.localtz)
        local pst = time.fixed_zone("PST", -8*3600)
        assert(time.date(2024, 1, 15, 12, 0, 0, 0, pst):utc():hour() == 20 and pst:string() == "PST" and time.now():in_location(pst):format("15:04 MST") == "07:04 PST")
        local _, err = time.load_location(""); assert(err:kind() == "Invalid")
        _, err = time.load_location("../etc/passwd"); assert(err:kind() == "NotFound") _, err = time.load_location("Unknown/Zone"); assert(err:kind() == "NotFound" or err:kind() == "Unavailable", tostring(err:kind()))
        _, err = time.fixed_zone("X", 1e6 // 1 | 0); assert(err:kind() == "Invalid")
        assert(not pcall(time.load_location, 5) and not pcall(time.fixed_zone, "X") and not pcall(time.fixed_zone, 5, 5))
    "##,
    );
}

#[test]
fn zone_data_of_the_host_is_used() {
    let lua = lua();
    let mut answer = vec![0x91, 0xc5];
    let data = super::tzif::tests::new_york();
    answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    answer.extend(data);
    double::with(|host| {
        host.invoke = Some(Box::new(move |module, function, args| {
            assert_eq!((module, function), ("time", "zone"));
            assert!(args.data.ends_with(b"America/New_York"));
            Ok(crate::host::Reply::Done(crate::host::Payload { data: answer.clone(), channels: Vec::new() }))
        }));
    });
    lua.run(
        r##"
        local ny = assert(time.load_location("America/New_York"))
        assert(ny:string() == "America/New_York" and rawequal(ny, time.load_location("America/New_York")))
        assert(time.date(2024, time.JANUARY, 15, 14, 0, 0, 0, ny):format(time.RFC822) == "15 Jan 24 14:00 EST" and time.date(2024, 7, 15, 14, 0, 0, 0, ny):utc():hour() == 18)
        assert(time.parse("2006-01-02 15:04 MST", "2024-07-15 14:00 EDT", ny):utc():hour() == 18)
        -- The hour that is skipped, the hour that comes twice, and the day around them.
        assert(time.date(2024, 3, 10, 2, 30, 0, 0, ny):unix() > time.date(2024, 3, 10, 1, 0, 0, 0, ny):unix())
        local before = time.date(2024, 3, 9, 12, 0, 0, 0, ny); assert(before:add("24h"):hour() == 13 and before:add_date(0, 0, 1):hour() == 12)
    "##,
    );
}
