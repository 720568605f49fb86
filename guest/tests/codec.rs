//! Values survive the way out and back in, and no bytes can break the decoder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double::{self, Asked};
use moonlet_guest::host::{Event, Message, Payload};
use support::{check_prints, check_success, lines, run, step};

/// Delivers a payload as it is.
fn deliver(body: Payload) -> Status {
    step(vec![Event::Message(Message { sender: None, topic: "back".to_owned(), body })])
}

fn last_sent() -> Payload {
    double::with(|double| {
        let sent = double.asked.drain(..).rev().find_map(|asked| match asked {
            Asked::Send { body, .. } => Some(body),
            _ => None,
        });
        sent.expect("something was sent")
    })
}

#[test]
fn random_values_come_back_as_they_were() {
    let rounds = 400;
    run(&format!(
        "local back = process.listen('back', {{message = true}})
        local random = math.random
        local function text() local t = {{}} for i = 1, random(0, 40) do t[i] = string.char(random(0, random(1, 2) * 127)) end return table.concat(t) end
        local scalars = {{
            function() return random(0) end, function() return random(-40, 140) end, function() return random(-70000, 70000) end,
            function() return random() * 10 ^ random(-300, 300) end, function() return random(1, 9) * 1.0 end, function() return 1 / 0 end,
            text, function() return text():rep(random(1, 9)) end, function() return random(2) == 1 end,
        }}
        local function scalar() return scalars[random(#scalars)]() end
        local function value(depth)
            local choice = random(depth > 4 and 2 or 4)
            if choice < 3 then return scalar() end
            local t = {{}}
            if choice == 3 then
                local order = random(2) == 1
                local n = random(0, 20)
                if order then for i = 1, n do t[i] = value(depth + 1) end else for i = n, 1, -1 do t[i] = value(depth + 1) end end
            else
                for _ = 1, random(0, 20) do
                    local key = scalar()
                    if key == key then t[key] = value(depth + 1) end
                end
            end
            return t
        end
        local function same(a, b)
            if type(a) ~= 'table' then return rawequal(a, b) and math.type(a) == math.type(b) or a ~= a and b ~= b end
            if type(b) ~= 'table' then return false end
            for k, v in next, a do if not same(v, b[k]) then return false end end
            for k in next, b do if a[k] == nil then return false end end
            return true
        end
        for round = 1, {rounds} do
            local v = value(1)
            assert(process.send('x', 'y', v))
            local got = back:receive():payload()
            if v == nil then assert(got:data() == nil) else assert(same(v, got:data()), round) end
        end"
    ));
    for _ in 0..rounds {
        deliver(last_sent());
    }
    check_success();
}

#[test]
fn errors_cross_with_all_their_parts() {
    run("local back = process.listen('back')
        local err = errors.new{message = 'm', kind = errors.TIMEOUT, retryable = false, details = {list = {1, 2}, err = errors.new('inner')}}
        process.send('x', 'y', {err})
        local got = back:receive()[1]
        print(got:kind(), got:message(), got:retryable(), #got:details().list, got:details().err, got:stack() == err:stack())
        print(payload.new(got):get_format())");
    deliver(last_sent());
    check_success();
    assert_eq!(lines(), ["Timeout\tm\tfalse\t2\tinner\ttrue", "golang/error"]);
}

#[test]
fn no_bytes_break_the_decoder() {
    run("local back = process.listen('back')
        while true do local v = back:receive() if v == 'stop' then break end end");
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..20_000 {
        let length = usize::try_from(random() % 64).unwrap();
        let mut data: Vec<u8> = (0..length).map(|_| random().to_le_bytes()[3]).collect();
        if round % 2 == 0 && !data.is_empty() {
            // Half of them begin like a payload, so that more than the first byte is read.
            data[0] = 0x91;
        }
        assert_eq!(deliver(Payload { data, channels: Vec::new() }), Status::Blocked, "{}", support::printed());
    }
    for data in [
        vec![0x91; 100_000],
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],
        vec![0x91, 0xdf, 0x7f, 0xff, 0xff, 0xff],
        vec![0x91, 0x81, 0xc0, 1],
    ] {
        assert_eq!(deliver(Payload { data, channels: Vec::new() }), Status::Blocked);
    }
    deliver(support::payload(&["stop".into()]));
    check_success();
}

#[test]
fn size_and_depth_are_limited() {
    check_prints(
        "local deep = {} for _ = 1, 70 do deep = {deep} end
         local _, err = process.send('x', 'y', deep) print(err:kind(), (err:message():gsub('%[1%]', '.')))
         _, err = process.send('x', 'y', {('x'):rep(2 ^ 21)}) print(err:kind(), err)
         _, err = process.send('x', 'y', {big = setmetatable({}, {__len = error, __pairs = error, __index = error})}) print(err)",
        &[
            &format!("LimitExceeded\tpayload{} is nested deeper than 64 levels, the limit of one message", ".".repeat(64)),
            "LimitExceeded\tpayload[1] makes the message larger than 1048576 bytes, the limit of one message",
            "nil",
        ],
    );
}

#[test]
fn payloads_convert_between_formats() {
    check_prints(
        "local p = payload.new({name = 'x', list = {1, 2.5}})
         local json = p:transcode(payload.format.JSON)
         print(json:get_format(), type(json:data()), json:unmarshal().list[2], p.name)
         local packed = p:transcode(payload.format.MSGPACK)
         print(packed:get_format(), packed:unmarshal().name, packed:transcode(payload.format.JSON):unmarshal().list[1])
         print(payload.new(nil):data(), payload.new('text'):get_format(), payload.new('text'):transcode(payload.format.STRING):data())
         local none, err = p:transcode('strange/format') print(none, err:kind())
         print(select(2, json:transcode(payload.format.LUA)), json:transcode(payload.format.LUA):data().name)",
        &[
            "json/plain\tstring\t2.5\tnil",
            "application/msgpack\tx\t1",
            "nil\tlua/any\ttext",
            "nil\tInvalid",
            "nil\tx",
        ],
    );
}
