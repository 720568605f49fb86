//! The modules `hash`, `uuid`, `base64`, `ctx` and `io` as programs use them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double;
use moonlet_guest::host::{Payload, Reply};
use support::{Value, check_success, document, done, error, lines, payload, printed, program, run_with, start, step};

#[track_caller]
fn check(modules: &[&str], body: &str) {
    run_with(body, modules, &[]);
    check_success();
}

#[test]
fn digests_match_known_vectors() {
    check(
        &["hash"],
        r##"
        local hash = require("hash")
        assert(hash.md5("data") == "8d777f385d3dfec8815d20f7496026dc" and hash.sha1("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        assert(hash.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        assert(hash.sha512("abc") == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
        assert(#hash.md5("data", true) == 16 and #hash.sha512("", true) == 64 and hash.sha256("abc", false) == hash.sha256("abc"))
        local text = "what do ya want for nothing?"
        assert(hash.hmac_md5(text, "Jefe") == "750c783e6ab0b503eaa86e310a5db738" and hash.hmac_sha1(text, "Jefe") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        assert(hash.hmac_sha256(text, "Jefe") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        assert(hash.hmac_sha512(text, "Jefe"):sub(1, 32) == "164b7a7bfcf819e2e395fbe73b56e0a3" and #hash.hmac_sha256("", ("k"):rep(200), true) == 32)
        assert(hash.fnv32("") == 0x811c9dc5 and hash.fnv32("a") == 0x050c5d7e and hash.fnv64("") == 0xcbf29ce484222325 and hash.fnv64("a") == 0xaf63bd4c8601b7be)
        local function invalid(value, err) return value == nil and err:kind() == "Invalid" end
        for _, f in pairs(hash) do assert(invalid(f()) and invalid(f(5, "x")) and invalid(f({}, "x"))) end
        assert(not pcall(hash.md5, "x", 1) and invalid(hash.hmac_md5("x", 5)))
    "##,
    );
}

#[test]
fn identifiers_are_made_and_taken_apart() {
    check(
        &["uuid"],
        r##"
        local dns, url = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
        assert(uuid.v3(dns, "www.example.com") == "5df41881-3aed-3515-88a7-2f4a814cf09e" and uuid.v5(dns, "www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        assert(uuid.v5(url, "x") ~= uuid.v5(dns, "x"))
        local seen, last1, last7 = {}, nil, ""
        for i = 1, 200 do
            for version, make in pairs{[1] = uuid.v1, [4] = uuid.v4, [7] = uuid.v7} do
                local id = make()
                assert(#id == 36 and uuid.validate(id) and uuid.version(id) == version and uuid.variant(id) == "RFC4122" and not seen[id])
                seen[id] = true
            end
            local id = uuid.v7(); assert(id > last7); last7 = id
        end
        local info = uuid.parse(url); assert(info.version == 1 and info.variant == "RFC4122" and info.timestamp == 886630433 and info.node == "00c04fd430c8")
        info = uuid.parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"); assert(info.version == 7 and info.timestamp == 1645557742 and info.node == nil)
        assert(uuid.parse(uuid.v7()).timestamp == os.time() and uuid.parse(uuid.v1()).timestamp == os.time() and uuid.parse(uuid.v4()).timestamp == nil)
        assert(uuid.format(url:upper()) == url and uuid.format(url, "simple") == url:gsub("-", "") and uuid.format(url, "urn") == "urn:uuid:" .. url and uuid.format(uuid.format(url, "urn"), "standard") == url)
        assert(uuid.variant("00000000-0000-0000-0000-000000000000") == "NCS" and uuid.variant("ffffffff-ffff-ffff-ffff-ffffffffffff") == "Future" and uuid.variant("00000000-0000-0000-c000-000000000000") == "Microsoft")
        assert(uuid.validate("x") == false and uuid.validate(5) == false and uuid.validate(nil) == false and not pcall(uuid.validate))
        for _, f in ipairs{uuid.version, uuid.variant, uuid.parse, uuid.format, function(x) return uuid.v3(x, "n") end, function(x) return uuid.v5(x, "n") end} do
            for _, wrong in ipairs{"nonsense", 5, {}} do
                local none, err = f(wrong); assert(none == nil and err:kind() == "Invalid")
            end
        end
        local none, err = uuid.format(url, "xml"); assert(none == nil and err:kind() == "Invalid")
    "##,
    );
}

#[test]
fn base64_goes_there_and_back() {
    check(
        &["base64"],
        r##"
        assert(base64.encode("Hello, World!") == "SGVsbG8sIFdvcmxkIQ==" and base64.decode("SGVsbG8sIFdvcmxkIQ==") == "Hello, World!")
        assert(base64.encode("") == "" and base64.decode("") == "" and base64.decode(base64.encode("\0\255\128")) == "\0\255\128")
        for _, bad in ipairs{"a", "ab", "a===", "ab=c", "!!!!", "Zg==Zg=="} do
            local none, err = base64.decode(bad); assert(none == nil and err:kind() == "Invalid" and err:message():find("illegal base64", 1, true))
        end
        for _, f in pairs(base64) do
            for _, wrong in ipairs{5, {}, true} do
                local none, err = f(wrong); assert(none == nil and err:kind() == "Invalid")
            end
        end
    "##,
    );
}

#[test]
fn context_values_are_copies() {
    let mut program = program(
        r##"local ctx = require("ctx") return function()
        assert(ctx.get("user") == "ann" and ctx.get("limits").most == 5)
        ctx.get("limits").most = 6
        assert(ctx.get("limits").most == 5 and ctx.all().user == "ann")
        local none, err = ctx.get("other"); assert(none == nil and err:kind() == "NotFound" and err:message():find("'other'", 1, true))
        none, err = ctx.get(""); assert(none == nil and err:kind() == "Invalid")
        assert(not pcall(ctx.get) and not pcall(ctx.get, 5))
    end"##,
    );
    program.main.modules = vec!["ctx".to_owned()];
    let limits = Value::Map(vec![("most".into(), 5.into())]);
    program.context = document(&Value::Map(vec![("user".into(), "ann".into()), ("limits".into(), limits)]));
    start(program);
    check_success();
    check(&["ctx"], "assert(next(ctx.all()) == nil) assert(select(2, ctx.get('x')):kind() == 'NotFound')");
}

/// Plays a terminal: what was written comes back by `printed`, and reading answers later.
fn start_on_terminal(body: &str) -> Status {
    let mut program = program(&format!("return function() {body}\nend"));
    program.main.modules = vec!["io".to_owned()];
    double::with(|host| {
        host.invoke = Some(Box::new(|module, function, args| {
            assert_eq!(module, "io");
            double::with(|host| {
                host.names.insert(format!("{function} {:?}", args.data.escape_ascii().to_string()), String::new())
            });
            match function {
                "read" | "readline" => Ok(Reply::Pending(77)),
                "args" => Ok(Reply::Done(payload(&[Value::Array(vec!["-v".into(), "x".into()])]))),
                "raw" => Err(error("Internal", "not a terminal device")),
                _ => Ok(Reply::Done(Payload { data: Vec::new(), channels: Vec::new() })),
            }
        }));
    });
    start(program)
}

#[test]
fn the_terminal_is_written_and_read() {
    let status = start_on_terminal(
        r##"
        assert(io.print("a", 1, nil, true) == true and io.write("x", 2.5, "y") == true and io.eprint() == true and io.write() == true and io.flush() == true)
        print(table.concat(io.args(), " "))
        local ok, err = io.raw(); print(ok, err:kind())
        print(io.readline())
        print(io.read(5))
        local none, err = io.read(); print(none, err:message())
    "##,
    );
    assert_eq!(status, Status::Blocked);
    let asked: Vec<String> = double::with(|host| host.names.keys().cloned().collect());
    let all = asked.join("\n");
    for text in ["a\\\\t1\\\\tnil\\\\ttrue\\\\n", "x2.5y", "flush \"\"", "raw \"\\\\x91\\\\xc3\"", "readline \"\""] {
        assert!(all.contains(text), "{text} is not in\n{all}");
    }
    assert_eq!(step(vec![done(77, &["a line".into()])]), Status::Blocked);
    assert_eq!(step(vec![done(77, &["bytes".into()])]), Status::Blocked);
    assert_eq!(step(vec![done(77, &[])]), Status::Finished);
    assert_eq!(lines(), ["-v x", "nil\tInternal", "a line", "bytes", "nil\tEOF"]);
}

#[test]
fn without_a_terminal_everything_is_unavailable() {
    let mut program = program(
        r##"return function()
        for _, name in ipairs{"print", "write", "eprint", "read", "readline", "flush", "raw", "args"} do
            local none, err = io[name]()
            print(name, none, err:kind())
        end
    end"##,
    );
    program.main.modules = vec!["io".to_owned()];
    double::with(|host| host.invoke = Some(Box::new(|_, _, _| Err(error("NotFound", "module io does not exist")))));
    start(program);
    check_success();
    assert_eq!(printed().matches("nil\tUnavailable").count(), 8, "{}", printed());
}
