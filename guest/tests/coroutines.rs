//! Coroutines, channels and select inside one process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use support::{check_prints, check_success, failure, lines, message, run, step};

#[test]
fn spawned_coroutines_run_in_order_and_end_with_main() {
    check_prints(
        "local done = channel.new()
         for i = 1, 3 do coroutine.spawn(function(n) print('run', n) done:send(n) if n < 3 then print('after', n) end end, i) end
         print(done:receive(), done:receive(), done:receive())",
        &["run\t1", "after\t1", "run\t2", "run\t3", "1\t2\t3\ttrue"],
    );
}

#[test]
fn a_buffered_channel_takes_values_without_a_receiver() {
    check_prints(
        "local ch = channel.new(10)
         for i = 1, 10 do ch:send(i) end
         ch:close() ch:close()
         local sum = 0
         while true do local v, ok = ch:receive() if not ok then break end sum = sum + v end
         print(sum, ch:receive())
         print(pcall(ch.send, ch, 1))",
        &["55\tnil\tfalse", "false\tsend on closed channel"],
    );
}

#[test]
fn nil_travels_through_channels() {
    check_prints(
        "local ch = channel.new(1) ch:send(nil) print(ch:receive())
         local un = channel.new() coroutine.spawn(function() un:send(nil) end) print(un:receive())",
        &["nil\ttrue", "nil\ttrue"],
    );
}

#[test]
fn a_sender_blocked_when_the_channel_closes_gets_an_error() {
    check_prints(
        "local ch = channel.new()
         local out = channel.new(1)
         coroutine.spawn(function() out:send({pcall(function() ch:send(1) end)}) end)
         coroutine.spawn(function() ch:close() end)
         local result = out:receive()
         print(result[1], result[2])",
        &["false\tapp:main:3: send on closed channel"],
    );
}

#[test]
fn values_keep_their_order_between_buffer_and_blocked_senders() {
    check_prints(
        "local ch = channel.new(2)
         coroutine.spawn(function() for i = 1, 50 do ch:send(i) end ch:close() end)
         local last = 0
         while true do
            local v, ok = ch:receive()
            if not ok then break end
            assert(v == last + 1) last = v
         end
         print(last)",
        &["50"],
    );
}

#[test]
fn blocking_works_inside_pcall_user_coroutines_and_iterators() {
    let body = "
        local inbox = process.inbox()
        local function text() return (inbox:receive()):payload():data() end
        print('pcall', pcall(function() return text() end))
        print('error after', pcall(function() error(text()) end))
        local co = coroutine.create(function(a)
            local first = text()
            local b = coroutine.yield(a, first)
            return b, text()
        end)
        print('resume', coroutine.resume(co, 1))
        print('status', coroutine.status(co))
        print('resume', coroutine.resume(co, 2))
        print('status', coroutine.status(co))
        for word in coroutine.wrap(function() for _ = 1, 2 do coroutine.yield(text()) end end) do print('word', word) end
        for word in function() local word = text() if word ~= 'stop' then return word end end do print('iterated', word) end
        local nested = coroutine.wrap(function()
            local inner = coroutine.wrap(function() return pcall(function() return text() end) end)
            return 'nested', inner()
        end)
        print(nested())
        local meta = setmetatable({}, {__index = function(_, key) return key .. text() end, __add = function() return text() end})
        print(meta.field, meta + 1)
    ";
    assert_eq!(run(body), Status::Blocked);
    for word in ["a", "b", "c", "d", "e", "f", "g", "h", "stop", "i", "j"] {
        assert_eq!(step(vec![message("t", &[word.into()])]), Status::Blocked);
    }
    assert_eq!(step(vec![message("t", &["k".into()])]), Status::Finished);
    check_success();
    assert_eq!(
        lines(),
        [
            "pcall\ttrue\ta",
            "error after\tfalse\tapp:main:5: b",
            "resume\ttrue\t1\tc",
            "status\tsuspended",
            "resume\ttrue\t2\td",
            "status\tdead",
            "word\te",
            "word\tf",
            "iterated\tg",
            "iterated\th",
            "nested\ttrue\ti",
            "fieldj\tk",
        ]
    );
}

#[test]
fn blocking_below_a_c_function_raises() {
    check_prints(
        "print(pcall(table.sort, {1, 2, 3}, function() process.inbox():receive() end))
         print(pcall(string.gsub, 'x', 'x', function() process.inbox():receive() end))
         print(pcall(string.gsub, 'x', 'x', function()
            return select(2, coroutine.resume(coroutine.create(function() return select(2, pcall(function() process.inbox():receive() end)) end)))
         end))",
        &[
            "false\tapp:main:1: attempt to yield across a C-call boundary",
            "false\tapp:main:2: attempt to yield across a C-call boundary",
            "true\tapp:main:4: attempt to yield across a C-call boundary\t1",
        ],
    );
}

#[test]
fn a_coroutine_that_waits_cannot_be_resumed_or_closed_by_others() {
    run("local inner
        local outer = coroutine.spawn(function()
            inner = coroutine.create(function() return process.inbox():receive() end)
            print(coroutine.resume(inner))
        end)
        local tick = channel.new()
        coroutine.spawn(function() tick:send() end)
        tick:receive()
        print(coroutine.status(inner), coroutine.status(outer))
        print(coroutine.resume(inner)) print(coroutine.resume(outer))
        print(pcall(coroutine.close, inner))
        process.listen('end'):receive()");
    step(vec![message("x", &["v".into()]), message("end", &[])]);
    check_success();
    let lines = lines();
    assert_eq!(lines[0], "normal\tsuspended");
    assert_eq!(lines[1], "false\tcannot resume non-suspended coroutine");
    assert_eq!(lines[2], "false\tcannot resume non-suspended coroutine");
    assert!(lines[3].starts_with("false\t"), "{lines:?}");
    assert!(lines[4].starts_with("true\tMessage(x)") || lines[4].starts_with("true\t"), "{lines:?}");
}

#[test]
fn running_and_yieldable_tell_main_from_others() {
    check_prints(
        "local thread, main = coroutine.running()
         print(type(thread), main, coroutine.isyieldable(), pcall(coroutine.yield))
         local done = channel.new()
         coroutine.spawn(function() print(select(2, coroutine.running()), coroutine.isyieldable()) done:send() end)
         done:receive()
         print(coroutine.wrap(function() return select(2, coroutine.running()), coroutine.isyieldable() end)())",
        &["thread\ttrue\tfalse\tfalse\tattempt to yield from outside a coroutine", "false\ttrue", "false\ttrue"],
    );
}

#[test]
fn errors_pass_through_wrap_with_their_position() {
    check_prints(
        "print(pcall(coroutine.wrap(function() error('x') end)))
         print(pcall(coroutine.wrap(function() error({1}) end)))
         local co = coroutine.wrap(function() return 1 end) co()
         print(pcall(co))
         print(select('#', coroutine.resume(coroutine.create(function() return nil, nil end))))"
            .replace(
                "print(pcall(coroutine.wrap(function() error({1}) end)))",
                "print((pcall(coroutine.wrap(function() error({1}) end))))",
            )
            .as_str(),
        &["false\tapp:main:1: x", "false", "false\tcannot resume dead coroutine", "3"],
    );
}

#[test]
fn select_takes_the_first_ready_case_in_table_order() {
    check_prints(
        "local a, b = channel.new(1), channel.new(1)
         a:send('a') b:send('b')
         local r = channel.select{b:case_receive(), a:case_receive()}
         print(r.channel == b, r.value, r.ok)
         r = channel.select{b:case_receive(), a:case_receive()}
         print(r.channel == a, r.value, r.ok)
         r = channel.select{b:case_receive(), a:case_receive(), default = true}
         print(r.default, r.ok, r.channel)
         r = channel.select{a:case_send('s'), default = true}
         print(r.channel == a, r.value, r.ok, a:receive())
         b:close()
         r = channel.select{a:case_receive(), b:case_receive()}
         print(r.channel == b, r.value, r.ok)",
        &["true\tb\ttrue", "true\ta\ttrue", "true\ttrue\tnil", "true\ts\ttrue\ts\ttrue", "true\tnil\tfalse"],
    );
}

#[test]
fn select_waits_for_whatever_comes_first() {
    let body = "
        local inbox, events, work, inner = process.inbox(), process.events(), process.listen('work'), channel.new()
        local out = channel.new()
        coroutine.spawn(function() print('sent', channel.select{out:case_send('to you')}.ok) inner:send('mine') end)
        print(out:receive())
        local names = {[inbox] = 'inbox', [events] = 'events', [work] = 'work', [inner] = 'inner'}
        for _ = 1, 4 do
            local r = channel.select{inbox:case_receive(), events:case_receive(), work:case_receive(), inner:case_receive()}
            local value = r.value
            if r.channel == inbox then value = value:topic() elseif r.channel == events then value = value.kind .. ' ' .. value.reason end
            print(names[r.channel], value, r.ok)
        end";
    assert_eq!(run(body), Status::Blocked);
    step(vec![message("x", &[])]);
    step(vec![support::cancel("enough")]);
    step(vec![message("work", &[5.into()])]);
    check_success();
    assert_eq!(
        lines(),
        ["sent\ttrue", "to you\ttrue", "inner\tmine\ttrue", "inbox\tx\ttrue", "events\tpid.cancel enough\ttrue", "work\t5\ttrue"]
    );
}

#[test]
fn a_wrong_case_raises() {
    check_prints(
        "print(pcall(channel.select, {channel.new()}))
         print(pcall(channel.select, {}))",
        &[
            "false\tinvalid case 1 in select: expected ch:case_receive() or ch:case_send(value), got a userdata",
            "false\tselect without cases would wait forever",
        ],
    );
}

#[test]
fn a_deadlock_names_every_coroutine_and_its_line() {
    run("local ch = channel.new()
        coroutine.spawn(function()
            ch:send(1)
            channel.new():receive()
        end)
        ch:receive()
        coroutine.spawn(function() pcall(function()
            channel.select{ch:case_send(1), channel.new():case_receive()} end)
        end)
        channel.new():send()");
    let text = failure().message;
    assert!(text.starts_with("deadlock"), "{text}");
    for place in ["main waits at app:main:10: in send", "app:main:4", "app:main:8"] {
        assert!(text.contains(place), "{text}");
    }
}

#[test]
fn a_process_that_waits_for_messages_is_no_deadlock() {
    assert_eq!(run("coroutine.spawn(function() process.events():receive() end) channel.new():receive()"), Status::Blocked);
}

#[test]
fn many_waits_leave_nothing_behind() {
    run("local events, ticks = process.events(), channel.new()
        coroutine.spawn(function() for i = 1, 20000 do ticks:send(i) end ticks:close() end)
        while true do
            local r = channel.select{events:case_receive(), ticks:case_receive()}
            if not r.ok then break end
        end");
    check_success();
}

#[test]
fn the_number_of_coroutines_is_limited() {
    check_prints(
        "local ok, err = pcall(function() for i = 1, 100000 do coroutine.spawn(function() channel.new():receive() end) end end)
         print(ok, errors.is(err, errors.LIMIT_EXCEEDED), err)",
        &["false\ttrue\tthe process has 1000 coroutines already, the limit of this process"],
    );
}

#[test]
fn memory_errors_can_be_caught() {
    check_prints(
        "local ok, err = pcall(function() local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end)
         print(ok, err)",
        &["false\tnot enough memory"],
    );
}
