//! What differs from stock Lua: what is missing, what older versions had, libraries that cannot be changed, and `os`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::host::double;
use support::{check_success, lines, program, run, start};

#[track_caller]
fn check(body: &str) {
    run(body);
    check_success();
}

#[test]
fn what_reaches_out_is_absent() {
    check(
        r##"
        for _, name in ipairs{"io", "debug", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "package", "warn"} do
            assert(_G[name] == nil, name)
        end
        for _, name in ipairs{"execute", "exit", "getenv", "remove", "rename", "tmpname", "setlocale"} do assert(os[name] == nil, name) end
        assert(rawlen({1, 2}) == 2 and _VERSION == "Lua 5.3")
    "##,
    );
}

#[test]
fn what_older_versions_had_is_there() {
    check(
        r##"
        assert(select("#", unpack({1, 2, 3})) == 3 and select(2, table.unpack({1, 2}, 2)) == nil and table.pack(1, nil).n == 2 and #table.move({1, 2}, 1, 2, 1, {}) == 2)
        assert(next(table.create(10, 0)) == nil and #table.create(0, 16) == 0 and #table.create(1 << 40) == 0 and not pcall(table.create, {}))
        local frozen = table.freeze{1, a = {}}; frozen.a.b = 2
        assert(#frozen == 1 and frozen.a.b == 2 and not pcall(function() frozen.c = 1 end) and not pcall(rawset, frozen, 1, 2) and not pcall(table.insert, frozen, 1))
        assert(math.pow(2, 10) == 1024 and math.log10(1000) == 3 and math.atan2(1, 1) == math.pi / 4 and math.sinh(0) == 0 and math.cosh(0) == 1 and math.tanh(0) == 0)
        local m, e = math.frexp(8); assert(m == 0.5 and e == 4 and math.ldexp(0.5, 4) == 8)
        assert(utf8.char(228) == "\u{e4}" and utf8.len("\u{e4}") == 1 and tostring(1e15) == "1e+15" and tostring(2^53) == "9.007199254741e+15" and tostring(3.0) == "3.0")
        assert(not pcall(math.atan2, 1))
    "##,
    );
}

#[test]
fn libraries_are_read_only_but_can_be_walked() {
    check(
        r##"
        for _, library in ipairs{string, table, math, utf8, os, coroutine, errors, channel, payload, process} do
            local ok, err = pcall(function() library.extra = 1 end)
            assert(not ok and err:find("read%-only"), tostring(err))
            local count = 0
            for key in pairs(library) do count = count + 1 end
            for key in next, library do count = count - 1 end
            assert(count == 0 and next(library) and getmetatable(library) == false and not pcall(setmetatable, library, nil))
        end
        local ok, err = pcall(function() string.trim = print end)
        assert(err:find("app:main:%d+: attempt to change 'string.trim': libraries are read%-only"), err)
    "##,
    );
}

#[test]
fn modules_are_read_only() {
    support::run_with(
        "local function refused(f, ...)
            local ok, err = pcall(f, ...)
            assert(not ok and err:find('read%-only', 1), tostring(err))
        end
        for _, library in ipairs{string, table, math, utf8, os, coroutine, errors, channel, payload, process, json, time, funcs, uuid, base64} do
            local name, old = next(library)
            for _, key in ipairs{name, 'new', 1} do
                refused(function() library[key] = 1 end)
                refused(function() library.new = 1 end)
                refused(function() library[1] = 1 end)
                refused(rawset, library, key, 1)
            end
            refused(table.insert, library, 1)
            assert(library[name] == old and not pcall(setmetatable, library, {}) and not pcall(setmetatable, library, nil))
            for key, value in pairs(library) do
                if type(value) == 'table' and not getmetatable(value) then
                    refused(function() value[next(value)] = 1 end)
                    refused(setmetatable, value, {})
                end
            end
        end
        local ok, err = pcall(function() string.format = print end)
        assert(err:find('string.format', 1, true), err)
        refused(function() getmetatable('').__index = nil end)
        refused(rawset, getmetatable(''), '__index', nil)
        local mine = setmetatable({}, {__index = string, __newindex = string})
        refused(function() mine.format = 1 end)
        refused(function() mine.other = 1 end)
        assert(('x'):rep(2) == 'xx' and mine.format == string.format)
        print('done')",
        &["json", "time", "funcs", "uuid", "base64"],
        &[],
    );
    check_success();
    assert_eq!(lines(), ["done"]);
}

#[test]
fn argument_errors_name_the_function_however_it_was_called() {
    support::run_with(
        "for _, f in ipairs{string.rep, setmetatable, channel.select, json.encode, process.listen} do print(select(2, pcall(f))) end",
        &["json"],
        &[],
    );
    check_success();
    let names: Vec<_> = lines().iter().map(|line| line.split('\'').nth(1).unwrap_or("").to_owned()).collect();
    assert_eq!(names, ["string.rep", "setmetatable", "channel.select", "json.encode", "process.listen"]);
}

#[test]
fn random_numbers_follow_the_seed() {
    let numbers = |seed| {
        let mut program = program("return function() print(math.random(1000000), math.random(1000000)) end");
        program.seed = seed;
        start(program);
        lines()
    };
    assert_eq!(numbers(1), numbers(1));
    assert_ne!(numbers(1), numbers(2));
}

#[test]
fn the_time_of_day_is_the_hosts() {
    let program = program(
        r##"return function()
        assert(os.time() == 1718462445 and os.date() == "Sat Jun 15 14:40:45 2024" and os.clock() == 2.5 and os.difftime(5, 2) == 3)
        local t = os.date("*t")
        assert(t.year == 2024 and t.month == 6 and t.day == 15 and t.hour == 14 and t.min == 40 and t.sec == 45 and t.wday == 7 and t.yday == 167 and t.isdst == false)
        assert(os.time(t) == os.time() and os.time{day = 1} == 1717200000 and os.time{year = 2024, month = 12, day = 25, hour = 10, min = 30} == 1735122600)
        assert(os.time{year = 2024, month = 14, day = -1, hour = 36} == os.time{year = 2025, month = 1, day = 31, hour = 12})
        assert(os.date("!%Y-%m-%dT%H:%M:%S", 0) == "1970-01-01T00:00:00" and os.date("!*t", 86400).day == 2)
        assert(os.date("%a %A %b %B %d %H %I %j %m %M %p %S %U %w %x %X %y %Z %z %% %e") == "Sat Saturday Jun June 15 14 02 167 06 40 PM 45 24 6 06/15/24 14:40:45 24 UTC +0000 % 15")
        assert(os.date("%D %F %R %T %r %h %C %g %G %u %V %W %n%t%Ey%Od") == "06/15/24 2024-06-15 14:40 14:40:45 02:40:45 PM Jun 20 24 2024 6 24 24 \n\t2415")
        assert(os.date("%c", os.time{year = 2024, month = 6, day = 5}) == "Wed Jun  5 00:00:00 2024")
        for _, bad in ipairs{"%", "%Q", "%E", "%Ez", "%O"} do
            local ok, err = pcall(os.date, bad); assert(not ok and err:find("invalid conversion specifier", 1, true), err)
        end
        assert(not pcall(os.date, "%c", math.maxinteger) and not pcall(os.date, "%c", "x") and not pcall(os.time, 5) and not pcall(os.time, {year = "x"}) and not pcall(os.time, {year = 1 << 40}))
        assert(not pcall(os.difftime, 1))
    end"##,
    );
    double::with(|host| {
        host.now = 1_718_462_445_999_999_999;
        host.monotonic = 2_500_000_000;
    });
    start(program);
    check_success();
}
