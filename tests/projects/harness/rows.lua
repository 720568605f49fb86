-- One row for each function and method of each module: how it is called well, and which actions policies are asked about for that.
--
-- `row(name, needs, call, options)`; the options are
--   make     gives the object that a method is called on
--   waits    a call that never comes back by itself
--   listens  another call that never comes back, which waits for a message of the module and not for an answer
--   large    a call whose answer has more than a megabyte
--   fails    the kind of error that a good call gives, where there is nothing else to be had here
--   filtered a refusal leaves things out, and is no error
--   odd      false: not called with arguments of all kinds
--   place    where it can be called: `http`, `queue` or `terminal`
-- A name with a space is another way to call a function.
--
-- From these rows alone come the proofs that limits hold and that nothing is left of calls that are cancelled or killed in the middle.
local rows = { table = {} }

-- How many results are kept where it is looked whether handles are among them.
rows.KEPT = 6
-- What `limits` of the entries with `narrow` in their names allow.
rows.HANDLES = 4
rows.PENDING = 4

local function row(name, needs, call, options)
    local made = options or {}
    made.call, made.needs = call, {}
    for action in needs:gmatch("%S+") do
        made.needs[action] = true
    end
    if made.odd == nil then
        made.odd = true
    end
    rows.table[name] = made
end

-- Rows of methods that take the same object: a table of calls by method.
local function methods(kind, needs, make, calls, options)
    for name, call in pairs(calls) do
        local made = { make = make }
        for key, value in pairs(options or {}) do
            made[key] = value
        end
        row(kind .. ":" .. name, needs, call, made)
    end
end

-- Rows of functions that need nothing, by the name of the module.
local function plain(module, calls, options)
    for name, call in pairs(calls) do
        local made = {}
        for key, value in pairs(options or {}) do
            made[key] = value
        end
        row(module .. "." .. name, "", call, made)
    end
end

-- Fails loudly when a step that leads to the call fails, and keeps the kind of the error.
local function ok(value, err)
    if value == nil then
        error(err, 0)
    end
    return value
end

-- Calls a function of a module, named by its path.
local function of(module, path, ...)
    local args = table.pack(...)
    return function()
        local value = require(module)
        for part in path:gmatch("[^.]+") do
            value = value[part]
        end
        return value(table.unpack(args, 1, args.n))
    end
end

local function call(method, ...)
    local args = table.pack(...)
    return function(object)
        return object[method](object, table.unpack(args, 1, args.n))
    end
end

-- base64, compress, crypto, hash, json, uuid, yaml: nothing but values.
for module, functions in pairs({
    base64 = { encode = { "a" }, decode = { "YQ==" } },
    hash = {
        md5 = { "a" }, sha1 = { "a" }, sha256 = { "a" }, sha512 = { "a" }, fnv32 = { "a" }, fnv64 = { "a" }, hmac_md5 = { "a", "k" },
        hmac_sha1 = { "a", "k" }, hmac_sha256 = { "a", "k" }, hmac_sha512 = { "a", "k" },
    },
    json = { encode = { { a = 1 } }, decode = { "[1]" }, validate = { { type = "number" }, 1 }, validate_string = { { type = "number" }, "1" } },
    uuid = {
        v1 = {}, v4 = {}, v7 = {}, v3 = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "a" }, v5 = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "a" },
        validate = { "x" }, version = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }, variant = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8" },
        parse = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }, format = { "6ba7b810-9dad-11d1-80b4-00c04fd430c8" },
    },
    yaml = { encode = { { a = 1 } }, decode = { "a: 1" } },
    crypto = {
        ["random.bytes"] = { 8 }, ["random.string"] = { 8 }, ["random.uuid"] = {}, ["hmac.sha256"] = { "k", "a" }, ["hmac.sha512"] = { "k", "a" },
        ["encrypt.aes"] = { "a", ("k"):rep(32) }, ["encrypt.chacha20"] = { "a", ("k"):rep(32) }, ["jwt.encode"] = { { sub = "a" }, "key" },
        pbkdf2 = { "password", "salt", 1000, 32 }, constant_time_compare = { "a", "a" }, ["argon2.hash"] = { "password", { memory = 64, time = 1 } },
        ["argon2.verify"] = { "password", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2hvcm90aGVy" },
    },
    expr = { eval = { "1 + 1" }, compile = { "1 + 1" } },
    http_client = { encode_uri = { "a b" }, decode_uri = { "a%20b" } },
    metrics = {
        counter_inc = { "harness_a" }, counter_add = { "harness_a", 1 }, gauge_set = { "harness_b", 1 }, gauge_inc = { "harness_b" },
        gauge_dec = { "harness_b" }, histogram = { "harness_c", 1 },
    },
    ctx = { all = {} },
    text = { ["regexp.compile"] = { "a+" }, ["diff.new"] = {}, ["splitter.recursive"] = {}, ["splitter.markdown"] = {} },
    html = { ["sanitize.new_policy"] = {}, ["sanitize.ugc_policy"] = {}, ["sanitize.strict_policy"] = {} },
    time = {
        now = {}, date = { 2024, 1, 2, 3, 4, 5, 0 }, unix = { 0, 0 }, parse = { "2006-01-02", "2024-01-02" }, parse_duration = { "1s" },
        load_location = { "Europe/Berlin" }, fixed_zone = { "X", 3600 }, after = { "1ms" }, timer = { "1ms" }, ticker = { "1ms" },
    },
}) do
    for name, args in pairs(functions) do
        row(module .. "." .. name, "", of(module, name, table.unpack(args)))
    end
end
row("ctx.get", "", of("ctx", "get", "x"), { fails = "NotFound" })
row("time.sleep", "", of("time", "sleep", "1ms"), { odd = false, waits = of("time", "sleep", "1h") })
row("crypto.decrypt.aes", "", function()
    local crypto = require("crypto")
    return crypto.decrypt.aes(ok(crypto.encrypt.aes("a", ("k"):rep(32))), ("k"):rep(32))
end)
row("crypto.decrypt.chacha20", "", function()
    local crypto = require("crypto")
    return crypto.decrypt.chacha20(ok(crypto.encrypt.chacha20("a", ("k"):rep(32))), ("k"):rep(32))
end)
row("crypto.jwt.verify", "", function()
    local crypto = require("crypto")
    return crypto.jwt.verify(ok(crypto.jwt.encode({ exp = 4e9 // 1 | 0 }, "key")), "key")
end)
for _, format in ipairs({ "gzip", "deflate", "zlib", "brotli", "zstd" }) do
    row("compress." .. format .. ".encode", "", of("compress", format .. ".encode", "text"))
    row("compress." .. format .. ".decode", "", function()
        local codec = require("compress")[format]
        return codec.decode(ok(codec.encode("text")))
    end)
end
local function samples()
    local list = {}
    for number = 1, 200 do
        table.insert(list, ("sample %d with some text that repeats"):format(number))
    end
    return list
end
row("compress.zstd.train_dict", "", function()
    return require("compress").zstd.train_dict(samples(), { size = 1024 })
end)
row("compress.zstd.inspect_dict", "", function()
    local zstd = require("compress").zstd
    return zstd.inspect_dict(ok(zstd.train_dict(samples(), { size = 1024 })))
end)
methods("expr.Program", "", of("expr", "compile", "1 + 1"), { run = call("run") })

local function regexp()
    return ok(require("text").regexp.compile("(?P<x>a)+"))
end
methods("text.Regexp", "", regexp, {
    match_string = call("match_string", "a"), find_string = call("find_string", "a"), find_all_string = call("find_all_string", "a"),
    find_string_submatch = call("find_string_submatch", "a"), find_all_string_submatch = call("find_all_string_submatch", "a"),
    find_string_index = call("find_string_index", "a"), find_all_string_index = call("find_all_string_index", "a"),
    replace_all_string = call("replace_all_string", "a", "b"), split = call("split", "bab"), num_subexp = call("num_subexp"),
    subexp_names = call("subexp_names"), string = call("string"),
})
local function differ()
    return ok(require("text").diff.new())
end
local function on_pieces(method)
    return function(object)
        return object[method](object, ok(object:compare("ab", "ac")))
    end
end
methods("text.Differ", "", differ, {
    compare = call("compare", "ab", "ac"), summarize = on_pieces("summarize"), pretty_text = on_pieces("pretty_text"),
    pretty_html = on_pieces("pretty_html"), patch_make = call("patch_make", "ab", "ac"),
    patch_apply = function(object)
        return object:patch_apply(ok(object:patch_make("ab", "ac")), "ab")
    end,
})
methods("text.TextSplitter", "", of("text", "splitter.recursive"), {
    split_text = call("split_text", "a b"), split_batch = call("split_batch", { { content = "a b" } }),
})
local function attributes()
    return require("html").sanitize.new_policy():allow_attrs("class")
end
methods("html.Policy", "", of("html", "sanitize.new_policy"), {
    allow_elements = call("allow_elements", "b"), allow_attrs = call("allow_attrs", "class"), allow_standard_urls = call("allow_standard_urls"),
    allow_url_schemes = call("allow_url_schemes", "https"), allow_relative_urls = call("allow_relative_urls", true),
    require_parseable_urls = call("require_parseable_urls", true), require_nofollow_on_links = call("require_nofollow_on_links", true),
    require_noreferrer_on_links = call("require_noreferrer_on_links", true),
    add_target_blank_to_fully_qualified_links = call("add_target_blank_to_fully_qualified_links", true), allow_images = call("allow_images"),
    allow_data_uri_images = call("allow_data_uri_images"), allow_lists = call("allow_lists"), allow_tables = call("allow_tables"),
    allow_standard_attributes = call("allow_standard_attributes"), sanitize = call("sanitize", "<b>x</b>"),
})
methods("html.AttrBuilder", "", attributes, {
    matching = call("matching", "a+"), on_elements = call("on_elements", "b"), globally = call("globally"),
})
methods("logger.Logger", "", function()
    return require("logger")
end, {
    debug = call("debug", "x"), info = call("info", "x"), warn = call("warn", "x"), error = call("error", "x"), with = call("with", { a = 1 }),
    named = call("named", "x"),
}, { odd = false })
methods("time.Duration", "", of("time", "parse_duration", "1s"), {
    nanoseconds = call("nanoseconds"), microseconds = call("microseconds"), milliseconds = call("milliseconds"), seconds = call("seconds"),
    minutes = call("minutes"), hours = call("hours"),
})
methods("time.Timer", "", of("time", "timer", "1h"), {
    channel = call("channel"), response = call("response"), stop = call("stop"), reset = call("reset", "2h"),
})

-- contract
row("contract.get", "contract.get", of("contract", "get", "app:greeter"))
row("contract.open", "contract.open", of("contract", "open", "app:english"))
row("contract.find_implementations", "contract.implementations", of("contract", "find_implementations", "app:greeter"))
row("contract.is", "contract.open", function()
    local contract = require("contract")
    return contract.is(ok(contract.open("app:english")), "app:greeter")
end)
local function greeter()
    return ok(require("contract").get("app:greeter"))
end
methods("contract.Contract", "contract.get", greeter, {
    id = call("id"), methods = call("methods"), method = call("method", "greet"),
})
row("contract.Contract:implementations", "contract.get contract.implementations", call("implementations"), { make = greeter })
row("contract.Contract:open", "contract.get contract.open", call("open"), { make = greeter })
row("contract.Contract:with_context", "contract.get contract.context", call("with_context", { a = 1 }), { make = greeter })
row("contract.Contract:with_options", "contract.get", call("with_options", {}), { make = greeter })
local function by_actor(object)
    return object:with_actor(ok(require("security").new_actor("x", {})))
end
local function by_scope(object)
    return object:with_scope(ok(require("security").new_scope()))
end
row("contract.Contract:with_actor", "contract.get contract.security security.actor.create", by_actor, { make = greeter })
row("contract.Contract:with_scope", "contract.get contract.security security.scope.create", by_scope, { make = greeter })

row("contract.open and a method", "contract.open contract.call", function()
    return ok(require("contract").open("app:english")):greet()
end, {
    odd = false,
    waits = function()
        return ok(require("contract").open("app:english")):wait()
    end,
})

-- env
row("env.get", "env.get", of("env", "get", "COLOR"))
row("env.set", "env.set", of("env", "set", "COLOR", "blue"))
row("env.get_all", "env.get", of("env", "get_all"), { filtered = true })

-- eval_runner
row("eval_runner.run", "eval.compile eval.run eval.module eval.import eval.class", function()
    return require("eval_runner").run({
        source = "return 1", modules = { "json", "time" }, allow_classes = { "time" }, imports = { lists = "app:lists" },
    })
end, {
    waits = of("eval_runner", "run", { source = "require('time').sleep('1h')", modules = { "time" }, allow_classes = { "time" } }),
})
row("eval_runner.compile", "eval.compile", of("eval_runner", "compile", "return 1"))

methods("eval_runner.EvalProgram", "eval.compile", of("eval_runner", "compile", "return 1"), { method = call("method"), modules = call("modules") })

-- events
row("events.subscribe", "events.subscribe", of("events", "subscribe", "harness"))
row("events.send", "events.send", of("events", "send", "harness", "kind", "path"))
methods("events.Subscription", "events.subscribe", of("events", "subscribe", "harness"), {
    channel = call("channel"), close = call("close"), lost = call("lost"),
})

-- exec
local function executor()
    return ok(require("exec").get("app:shell"))
end
local function command(line)
    return function()
        return ok(executor():exec(line))
    end
end
local function started(line)
    return function()
        local made = command(line)()
        ok(made:start())
        return made
    end
end
row("exec.get", "exec.get", of("exec", "get", "app:shell"))
methods("exec.Executor", "exec.get", executor, { release = call("release") })
row("exec.Executor:exec", "exec.get exec.run", call("exec", "true"), { make = executor })
row("exec.Process:start", "exec.get exec.run", call("start"), { make = command("true") })
row("exec.Process:wait", "exec.get exec.run", call("wait"), {
    make = started("true"),
    waits = function()
        return started("sleep 3600")():wait()
    end,
})
methods("exec.Process", "exec.get exec.run", started("sleep 3600"), {
    signal = call("signal", 15), pid = call("pid"), close = call("close", true),
})
row("exec.Process:write_stdin", "exec.get exec.run", call("write_stdin", "x"), { make = started("cat") })
methods("exec.Process", "exec.get exec.run", command("cat"), {
    stdout_stream = call("stdout_stream"), stderr_stream = call("stderr_stream"),
})
-- A program that nothing refers to is garbage, and its output ends with it.
local programs = {}
local function output()
    local made = command("echo text")()
    programs[#programs + 1] = made
    local stream = ok(made:stdout_stream())
    ok(made:start())
    return stream
end
row("exec.Stream:read", "exec.get exec.run", call("read"), {
    make = output,
    waits = function()
        local made = command("sleep 3600")()
        local stream = ok(made:stdout_stream())
        ok(made:start())
        return stream:read()
    end,
})
methods("exec.Stream", "exec.get exec.run", output, { stat = call("stat"), close = call("close"), scanner = call("scanner", "lines"), flush = call("flush") })
methods("exec.Stream", "exec.get exec.run", output, { write = call("write", "x"), seek = call("seek", "set", 0) }, { fails = "Internal" })

-- fs
local function volume()
    return ok(require("fs").get("app:files"))
end
local function file()
    return ok(volume():open("a.txt", "r"))
end
local function written()
    return ok(volume():open("written.txt", "w"))
end
row("fs.get", "fs.get", of("fs", "get", "app:files"))
methods("fs.FS", "fs.get", volume, {
    exists = call("exists", "a.txt"), stat = call("stat", "a.txt"), isdir = call("isdir", "a.txt"), readdir = call("readdir", "."),
    open = call("open", "a.txt", "r"), chdir = call("chdir", "."), pwd = call("pwd"),
    writefile = call("writefile", "b.txt", "x"), write_file = call("write_file", "b.txt", "x"),
    mkdir = function(object)
        object:remove("made")
        return object:mkdir("made")
    end,
    remove = function(object)
        ok(object:writefile("c.txt", "x"))
        return object:remove("c.txt")
    end,
})
for _, name in ipairs({ "readfile", "read_file" }) do
    row("fs.FS:" .. name, "fs.get", call(name, "a.txt"), { make = volume, large = call(name, "large.txt") })
end
methods("fs.File", "fs.get", file, { read = call("read"), seek = call("seek", "set", 0), stat = call("stat"), close = call("close"), scanner = call("scanner") })
methods("fs.File", "fs.get", written, { write = call("write", "x"), sync = call("sync"), flush = call("flush") })
methods("fs.Scanner", "fs.get", function()
    return ok(file():scanner())
end, { scan = call("scan"), text = call("text"), err = call("err") })

-- archive
local function packed()
    local pieces = {}
    local writer = ok(require("archive").create({
        write = function(_, bytes)
            pieces[#pieces + 1] = bytes
            return #bytes
        end,
    }, { format = "tar" }))
    return writer, pieces
end
local function some_archive()
    local writer, pieces = packed()
    ok(writer:add("a.txt", "text"))
    ok(writer:close())
    return table.concat(pieces)
end
local function reader()
    return ok(require("archive").open(some_archive()))
end
local function walker()
    return ok(require("archive").scan(some_archive()))
end
local function entry()
    return ok(reader():stream("a.txt"))
end
row("archive.formats", "", of("archive", "formats"))
row("archive.open", "archive.read archive.write", reader)
row("archive.scan", "archive.read archive.write", walker)
row("archive.create", "archive.write", packed)
methods("archive.Reader", "archive.read archive.write", reader, {
    entries = call("entries"), stat = call("stat", "a.txt"), read = call("read", "a.txt"), stream = call("stream", "a.txt"), close = call("close"),
})
methods("archive.Reader", "archive.read archive.write fs.get", reader, {
    extract = function(object)
        return object:extract("a.txt", volume(), "extracted.txt")
    end,
    extract_all = function(object)
        return object:extract_all(volume(), { prefix = "extracted" })
    end,
})
methods("archive.Walker", "archive.read archive.write", walker, { walk = call("walk"), close = call("close") })
methods("archive.Writer", "archive.write", packed, {
    add = call("add", "a.txt", "text"), add_dir = call("add_dir", "d"), close = call("close"),
})
row("archive.Writer:add_file", "archive.write fs.get", function(object)
    return object:add_file("a.txt", volume(), "a.txt")
end, { make = packed })
methods("archive.Stream", "archive.read archive.write", entry, {
    read = call("read"), stat = call("stat"), close = call("close"), scanner = call("scanner"),
})
methods("archive.Stream", "archive.read archive.write", entry, { flush = call("flush"), write = call("write", "x"), seek = call("seek", "set", 0) }, { fails = "Internal" })
methods("archive.Scanner", "archive.read archive.write", function()
    return ok(entry():scanner())
end, { scan = call("scan"), text = call("text"), err = call("err") })

-- cloudstorage
local function pail()
    return ok(require("cloudstorage").get("app:pail"))
end
row("cloudstorage.get", "cloudstorage.get", pail)
methods("cloudstorage.Storage", "cloudstorage.get", pail, {
    upload_object = call("upload_object", "a", "text"), head_object = call("head_object", "a"), list_objects = call("list_objects"),
    delete_objects = call("delete_objects", { "a" }), presigned_get_url = call("presigned_get_url", "a"),
    presigned_put_url = call("presigned_put_url", "a"), release = call("release"),
})
row("cloudstorage.Storage:download_object", "cloudstorage.get fs.get", function(object)
    return object:download_object("a", ok(volume():open("object.txt", "w")))
end, { make = pail })

-- excel
local function book()
    return ok(require("excel").new())
end
local function cursor()
    return ok(book():rows("Sheet1"))
end
-- Calls what gives its error alone.
local function quietly(method, ...)
    local run = call(method, ...)
    return function(object)
        local err = run(object)
        return err == nil, err
    end
end
row("excel.new", "", book)
row("excel.open", "fs.get", function()
    local file = ok(volume():open("book.xlsx", "w"))
    local err = book():write_to(file)
    file:close()
    return err == nil and require("excel").open(ok(volume():open("book.xlsx", "r"))), err
end)
methods("excel.Workbook", "", book, {
    new_sheet = call("new_sheet", "a"), get_sheet_list = call("get_sheet_list"), set_cell_value = quietly("set_cell_value", "Sheet1", "A1", 1),
    get_rows = call("get_rows", "Sheet1"), rows = call("rows", "Sheet1"), close = quietly("close"),
})
row("excel.Workbook:write_to", "fs.get", function(object)
    local err = object:write_to(ok(volume():open("book.xlsx", "w")))
    return err == nil, err
end, { make = book })
methods("excel.Cursor", "", cursor, { read = call("read"), close = quietly("close") })

-- funcs
local function caller()
    return require("funcs").new()
end
row("funcs.new", "", of("funcs", "new"))
row("funcs.call", "funcs.call", of("funcs", "call", "app:quick"), { waits = of("funcs", "call", "app:waits") })
row("funcs.async", "funcs.call", of("funcs", "async", "app:quick"))
row("funcs.Caller:call", "funcs.call", call("call", "app:quick"), { make = caller, waits = call("call", "app:waits") })
row("funcs.Caller:call through a network", "funcs.call network.select", call("call", "app:quick"), {
    make = function()
        return caller():with_options({ network = "app:nowhere" })
    end,
})
row("funcs.Caller:async", "funcs.call", call("async", "app:quick"), { make = caller })
row("funcs.Caller:with_options", "", call("with_options", {}), { make = caller })
row("funcs.Caller:with_context", "funcs.context", call("with_context", { a = 1 }), { make = caller })
row("funcs.Caller:with_actor", "funcs.security security.actor.create", by_actor, { make = caller })
row("funcs.Caller:with_scope", "funcs.security security.scope.create", by_scope, { make = caller })
methods("funcs.Future", "funcs.call", of("funcs", "async", "app:quick"), {
    response = call("response"), channel = call("channel"), is_complete = call("is_complete"), is_canceled = call("is_canceled"),
    result = call("result"), error = call("error"), cancel = call("cancel"),
})

-- http_client and websocket
local function url(path)
    return function()
        return "http://" .. require("http").address("app:gateway") .. (path or "/quick")
    end
end
local REQUEST = "http_client.request http_client.private_ip"
for _, name in ipairs({ "get", "post", "put", "patch", "delete", "head", "options" }) do
    row("http_client." .. name, REQUEST, function()
        return require("http_client")[name](url()(), { timeout = "20s" })
    end, {
        large = name == "get" and function()
            return require("http_client").get(url("/large")())
        end or nil,
    })
end
row("http_client.request", REQUEST, function()
    return require("http_client").request("POST", url()())
end)
row("http_client.request_batch", REQUEST, function()
    local answers, faults = require("http_client").request_batch({ { "POST", url()() } })
    if not answers then
        return nil, faults
    end
    return answers[1], faults and faults[1]
end)
row("http_client.get without verification", REQUEST .. " http_client.insecure_tls", function()
    return require("http_client").get(url()(), { tls = { insecure_skip_verify = true } })
end, { odd = false })
row("http_client.get through a network", REQUEST .. " network.select", function()
    return require("http_client").get(url()(), { overlay_network = "app:nowhere", timeout = "20s" })
end, { fails = "Internal" })
row("http_client.get by a socket", "http_client.request http_client.unix_socket", function()
    return require("http_client").get("http://x/", { unix_socket = "/nowhere/at/all" })
end, { odd = false, fails = "Internal" })
local function socket()
    local path = url("/quick?pid=" .. require("http_client").encode_uri(process.pid()))()
    return ok(require("websocket").connect((path:gsub("^http", "ws"))))
end
local CONNECT = "websocket.connect websocket.connect.url http_client.private_ip"
row("websocket.connect", CONNECT, socket)
methods("websocket.Client", CONNECT, socket, {
    send = call("send", "x"), ping = call("ping"), channel = call("channel"), receive = call("receive"), close = call("close"),
})

-- http: what a request and its response have
row("http.address", "", of("http", "address", "app:gateway"))
row("http.request", "", of("http", "request"), { place = "http" })
row("http.response", "", of("http", "response"), { place = "http" })
methods("http.Request", "", of("http", "request"), {
    method = call("method"), path = call("path"), query = call("query", "q"), query_params = call("query_params"), header = call("header", "host"),
    headers = call("headers"), content_type = call("content_type"), content_length = call("content_length"), host = call("host"),
    param = call("param", "key"), params = call("params"), body = call("body"), body_json = call("body_json"), has_body = call("has_body"),
    is_content_type = call("is_content_type", "text/plain"), accepts = call("accepts", "text/plain"), remote_addr = call("remote_addr"),
    parse_multipart = call("parse_multipart"), stream = call("stream"),
}, { place = "http" })
methods("http.HttpResponse", "", of("http", "response"), {
    set_status = call("set_status", 200), set_header = call("set_header", "X-A", "b"), set_content_type = call("set_content_type", "text/plain"),
    set_transfer = call("set_transfer", "chunked"), write = call("write", "x"), write_json = call("write_json", { a = 1 }),
    write_event = call("write_event", { name = "a", data = 1 }), flush = call("flush"), stream = call("stream"),
}, { place = "http" })
local function body()
    return ok(require("http").request():stream())
end
methods("http.HttpStream", "", body, { read = call("read"), stat = call("stat"), close = call("close"), scanner = call("scanner") }, { place = "http" })
methods("http.HttpStream", "", body, { flush = call("flush"), write = call("write", "x"), seek = call("seek", "set", 0) }, { place = "http", fails = "Internal" })
methods("http.UploadedFile", "", function()
    return ok(require("http").request():parse_multipart()).files.file[1]
end, { name = call("name"), size = call("size"), header = call("header", "Content-Type"), stream = call("stream") }, { place = "http" })

-- io
plain("io", {
    print = of("io", "print", "x"), eprint = of("io", "eprint", ""), write = of("io", "write", ""), flush = of("io", "flush"), args = of("io", "args"),
    raw = of("io", "raw", false), read = of("io", "read", 1), readline = of("io", "readline"),
}, { place = "terminal" })
for _, name in ipairs({ "read", "readline" }) do
    rows.table["io." .. name].waits = rows.table["io." .. name].call
end

-- pg
local function group()
    return ok(require("pg").open("app:groups"))
end
row("pg.open", "pg.open", group)
for name, run in pairs({
    join = call("join", "a"), get_members = call("get_members", "a"), get_local_members = call("get_local_members", "a"),
    which_groups = call("which_groups"), which_local_groups = call("which_local_groups"), broadcast = call("broadcast", "none", "x"),
    broadcast_local = call("broadcast_local", "none", "x"), monitor = call("monitor", "a"), events = call("events"),
}) do
    row("pg.GroupScope:" .. name, "pg.open pg." .. name, run, { make = group })
end
row("pg.GroupScope:leave", "pg.open pg.join pg.leave", function(object)
    ok(object:join("b"))
    return object:leave("b")
end, { make = group })
row("pg.GroupScope:release", "pg.open", call("release"), { make = group })
methods("pg.GroupSubscription", "pg.open pg.monitor", function()
    local subscription, _, err = group():monitor("a")
    return ok(subscription, err)
end, { channel = call("channel"), close = call("close") }, { odd = false })

-- queue
row("queue.publish", "queue.publish queue.publish.queue", of("queue", "publish", "app:plain", { a = 1 }))
row("queue.info", "", of("queue", "info", "app:plain"))
row("queue.stats", "", of("queue", "stats", "app:plain"))
row("queue.message", "", of("queue", "message"), { place = "queue" })
methods("queue.Message", "", of("queue", "message"), {
    id = call("id"), header = call("header", "a"), headers = call("headers"), attempts = call("attempts"), ack = call("ack"), nack = call("nack"),
}, { place = "queue" })

-- registry
local function snapshot()
    return ok(require("registry").snapshot())
end
local function changes()
    return snapshot():changes()
end
local entry = { id = "app:made", kind = "registry.entry", data = { a = 1 } }
row("registry.get", "registry.get", of("registry", "get", "app:quick"))
row("registry.find", "registry.get", of("registry", "find", { kind = "function.lua" }), { filtered = true })
plain("registry", {
    parse_id = of("registry", "parse_id", "a:b"), snapshot = of("registry", "snapshot"), current_version = of("registry", "current_version"),
    versions = of("registry", "versions"), history = of("registry", "history"),
    snapshot_at = function()
        return require("registry").snapshot_at(ok(require("registry").current_version()))
    end,
    build_delta = of("registry", "build_delta", {}, {}),
})
row("registry.apply_version", "registry.apply_version", function()
    return require("registry").apply_version(ok(require("registry").current_version()))
end)
row("registry.Snapshot:get", "registry.get", call("get", "app:quick"), { make = snapshot })
for name, run in pairs({ entries = call("entries"), find = call("find", {}), namespace = call("namespace", "app") }) do
    row("registry.Snapshot:" .. name, "registry.get", run, { make = snapshot, filtered = true })
end
methods("registry.Snapshot", "", snapshot, { version = call("version"), changes = call("changes") })
methods("registry.Changes", "", changes, { create = call("create", entry), update = call("update", entry), delete = call("delete", "app:made"), ops = call("ops") })
row("registry.Changes:apply", "registry.apply", function(object)
    return object:create({ id = "app:made_" .. require("uuid").v4():gsub("-", "_"), kind = "registry.entry", data = {} }):apply()
end, { make = changes })
methods("registry.Version", "", of("registry", "current_version"), { id = call("id"), string = call("string"), previous = call("previous"), next = call("next") })
methods("registry.History", "", of("registry", "history"), {
    versions = call("versions"),
    get_version = function(object)
        return object:get_version(ok(require("registry").current_version()):id())
    end,
    snapshot_at = function(object)
        return object:snapshot_at(ok(require("registry").current_version()))
    end,
})

-- security
local function actor()
    return ok(require("security").new_actor("x", {}))
end
local function policy()
    return ok(require("security").policy("app:everything"))
end
local function scope()
    return ok(require("security").new_scope())
end
local function tokens()
    return ok(require("security").token_store("app:tokens"))
end
plain("security", { actor = of("security", "actor"), scope = of("security", "scope"), can = of("security", "can", "a", "b") })
row("security.new_actor", "security.actor.create", of("security", "new_actor", "x", {}))
row("security.new_scope", "security.scope.create", of("security", "new_scope"))
row("security.policy", "security.policy.get", of("security", "policy", "app:everything"))
row("security.named_scope", "security.policy_group.get", of("security", "named_scope", "app:all"))
row("security.token_store", "security.token_store.get", of("security", "token_store", "app:tokens"))
methods("security.Actor", "security.actor.create", actor, { id = call("id"), meta = call("meta") })
row("security.Policy:id", "security.policy.get", call("id"), { make = policy })
row("security.Policy:evaluate", "security.policy.get security.actor.create", function(object)
    return object:evaluate(actor(), "a", "b")
end, { make = policy })
row("security.Scope:with", "security.scope.create security.policy.get", function(object)
    return object:with(policy())
end, { make = scope })
row("security.Scope:evaluate", "security.scope.create security.actor.create", function(object)
    return object:evaluate(actor(), "a", "b")
end, { make = scope })
methods("security.Scope", "security.scope.create", scope, {
    without = call("without", "app:everything"), contains = call("contains", "app:everything"), policies = call("policies"),
})
local TOKEN = "security.token_store.get security.actor.create security.scope.create security.token.create"
local function token(object)
    return ok(object:create(actor(), scope()))
end
row("security.TokenStore:create", TOKEN, token, { make = tokens })
row("security.TokenStore:validate", TOKEN .. " security.token.validate", function(object)
    return object:validate(token(object))
end, { make = tokens })
row("security.TokenStore:revoke", TOKEN .. " security.token.revoke", function(object)
    return object:revoke(token(object))
end, { make = tokens })
row("security.TokenStore:close", "security.token_store.get", call("close"), { make = tokens })

-- sql
local ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
local LARGE = "SELECT hex(zeroblob(1000000)) AS large"
local function db()
    return ok(require("sql").get("app:db"))
end
local function transaction()
    return ok(db():begin())
end
local function statement()
    return ok(db():prepare("SELECT 1"))
end
row("sql.get", "db.get", of("sql", "get", "app:db"))
for name, args in pairs({ int = { 1 }, float = { 1 }, text = { "a" }, binary = { "a" }, null = {} }) do
    row("sql.as." .. name, "", of("sql", "as." .. name, table.unpack(args)))
end
row("sql.Database:query", "db.get", call("query", "SELECT 1"), { make = db, waits = call("query", ENDLESS), large = call("query", LARGE) })
methods("sql.Database", "db.get", db, {
    execute = call("execute", "CREATE TABLE IF NOT EXISTS t (a)"), prepare = call("prepare", "SELECT 1"), begin = function(object)
        return ok(object:begin()):rollback()
    end, release = call("release"), stats = call("stats"), type = call("type"),
})
local function then_back(run)
    return function(object)
        local value, err = run(object)
        object:rollback()
        return value, err
    end
end
local function saved(run)
    return then_back(function(object)
        ok(object:savepoint("a"))
        return run(object)
    end)
end
methods("sql.Transaction", "db.get", transaction, {
    execute = then_back(call("execute", "CREATE TABLE IF NOT EXISTS t (a)")), prepare = then_back(call("prepare", "SELECT 1")),
    commit = call("commit"), rollback = call("rollback"), savepoint = then_back(call("savepoint", "a")),
    rollback_to = saved(call("rollback_to", "a")), release = saved(call("release", "a")), db_type = then_back(call("db_type")),
    query = then_back(call("query", "SELECT 1")),
}, { odd = false })
rows.table["sql.Transaction:query"].large = then_back(call("query", LARGE))
-- Each would wait for the connection that the one before it has.
rows.table["sql.Database:begin"].odd = false
methods("sql.Statement", "db.get", statement, { query = call("query"), execute = call("execute"), close = call("close") })

-- store
local function memory()
    return ok(require("store").get("app:memory"))
end
row("store.get", "store.get", of("store", "get", "app:memory"))
for name, run in pairs({
    get = { "get", call("get", "a") }, set = { "set", call("set", "a", 1) }, has = { "has", call("has", "a") }, delete = { "delete", call("delete", "d") },
    entry = { "get", call("entry", "a") }, put = { "set", call("put", "a", 1) }, list = { "list", call("list") },
}) do
    row("store.Store:" .. name, "store.get store.key." .. run[1], run[2], { make = memory })
end
rows.table["store.Store:get"].large = call("get", "large")
row("store.Store:info", "store.get store.info", call("info"), { make = memory })
row("store.Store:release", "store.get", call("release"), { make = memory })

-- system: what a node that runs alone does not have
local ALONE = {
    ["lock.acquire"] = "Unavailable", ["lock.release"] = "Unavailable", ["memory.set_limit"] = "Unavailable", ["node.addr"] = "Internal",
}
for _, name in ipairs({ "commit_index", "is_leader", "is_member", "role", "stats", "term" }) do
    ALONE["raft." .. name] = "Internal"
end
for action, functions in pairs({
    read = {
        modules = {}, ["memory.stats"] = {}, ["memory.allocated"] = {}, ["memory.heap_objects"] = {}, ["memory.get_limit"] = {}, ["gc.get_percent"] = {},
        ["runtime.goroutines"] = {}, ["runtime.cpu_count"] = {}, ["process.pid"] = {}, ["process.hostname"] = {}, ["process.cwd"] = {},
        ["hosts.list"] = {}, ["hosts.processes"] = { "app:processes" }, ["supervisor.state"] = { "app:service" }, ["supervisor.states"] = {},
        ["node.id"] = {}, ["node.addr"] = {}, ["node.role"] = {}, ["cluster.members"] = {}, ["cluster.leader"] = {}, ["cluster.size"] = {},
        ["raft.is_leader"] = {}, ["raft.is_member"] = {}, ["raft.role"] = {}, ["raft.term"] = {}, ["raft.commit_index"] = {}, ["raft.stats"] = {},
        ["runtime.max_procs"] = {},
    },
    gc = { ["gc.collect"] = {}, ["gc.set_percent"] = { 100 } },
    control = { ["memory.set_limit"] = { 1 << 40 } },
    lock = { ["lock.acquire"] = { "a" }, ["lock.release"] = { "a" } },
}) do
    for name, args in pairs(functions) do
        row("system." .. name, "system." .. action, of("system", name, table.unpack(args)), { fails = ALONE[name] })
    end
end
-- A good call would end the node: only its refusal is tried.
row("system.exit", "system.exit", of("system", "exit", 300), { fails = "Invalid", odd = false })

-- templates
local function views()
    return ok(require("templates").get("app:views"))
end
row("templates.get", "template.get", views)
methods("templates.Set", "template.get", views, { render = call("render", "hello", { name = "x" }), release = call("release") })

require("screen")({ row = row, methods = methods, call = call, of = of })
require("never")(rows.table, { call = call, of = of, ok = ok, started = started, url = url })

-- What the rows find there.
function rows.prepare()
    ok(require("env").set("BUCKET_ENDPOINT", "http://" .. ok(require("http").address("gateway"))))
    local files = volume()
    ok(files:writefile("a.txt", "text\nmore"))
    ok(files:writefile("large.txt", ("x"):rep(2000000)))
    local store = memory()
    ok(store:set("a", 1))
    ok(store:set("large", ("x"):rep(2000000)))
end

return rows
