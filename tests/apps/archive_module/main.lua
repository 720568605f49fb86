local archive = require("archive")
local fs = require("fs")
local funcs = require("funcs")
local security = require("security")
local check = require("check")
local streams = require("streams")

local sink, source = streams.sink, streams.source

local LONG = ("line of text\n"):rep(5000)
local DEEP = "docs/" .. ("n"):rep(120) .. ".txt"

local fixtures = assert(fs.get("archive_module:fixtures"))
local out = assert(fs.get("archive_module:out"))

local function clean(path)
    for entry in assert(out:readdir(path)) do
        local below = path .. entry.name
        if entry.type == fs.type.DIR then
            clean(below .. "/")
        end
        check.is_nil(select(2, out:remove(below)))
    end
end

local function packed(format, fill, options)
    local to = sink()
    options = options or {}
    options.format = format
    local writer = assert(archive.create(to, options))
    fill(writer)
    check.is_true((writer:close()))
    return to.all()
end

local function sample(name)
    return assert(fixtures:readfile(name))
end

check.case("the formats have names", function()
    check.equal(archive.formats(), { "zip", "tar", "tar.gz", "tar.zst" })
end)

check.case("a zip of another program is read", function()
    local reader = assert(archive.open(fixtures, "sample.zip"))
    local found = {}
    for entry in reader:entries() do
        found[entry.name] = entry
    end
    check.equal(found["docs/"].is_dir, true)
    check.equal(found["docs/"].type, "directory")
    local info = assert(reader:stat("readme.txt"))
    check.equal(info, found["readme.txt"])
    check.equal(info.size, 6)
    check.equal(info.mode, 0x1a0)
    check.equal(info.modified, 1704164646)
    check.equal(info.method, "store")
    check.equal(found["docs/long.txt"].method, "deflate")
    check.is_true(found["docs/long.txt"].compressed_size < 1000)
    check.equal((reader:read("readme.txt")), "hello\n")
    check.equal((reader:read("docs/long.txt")), LONG)
    check.equal((reader:read(DEEP)), "deep\n")
    check.fails("NotFound", reader:read("nothing"))
    check.fails("NotFound", reader:stat("nothing"))
    check.fails("Invalid", reader:read("docs/"))
    check.is_true((reader:close()))
    check.is_true((reader:close()))
    check.fails("Invalid", reader:read("readme.txt"))
end)

check.case("a tar of another program is read", function()
    local reader = assert(archive.open(assert(fixtures:open("sample.tar"))))
    check.equal((reader:read("readme.txt")), "hello\n")
    check.equal((reader:read(DEEP)), "deep\n")
    check.equal(reader:stat("readme.txt").mode, 0x1a0)
    check.equal(reader:stat("readme.txt").modified, 1704164646)
end)

check.case("archives are walked through in order, from files and from streams", function()
    for _, name in ipairs({ "sample.zip", "sample.tar", "sample.tar.gz", "sample.tar.zst" }) do
        for _, from in ipairs({ sample(name), source(sample(name), 100), assert(fixtures:open(name)) }) do
            local walker = assert(archive.scan(from))
            local found = {}
            for entry, stream in walker:walk() do
                if not entry.is_dir then
                    local pieces = {}
                    for piece in function() return stream:read(1000) end do
                        pieces[#pieces + 1] = piece
                    end
                    found[entry.name] = table.concat(pieces)
                end
            end
            check.equal(found["readme.txt"], "hello\n", name)
            check.equal(found[DEEP], "deep\n", name)
            check.is_true((walker:close()))
        end
    end
    check.fails("Unavailable", archive.open(fixtures, "sample.tar.gz"))
end)

check.case("the bytes of an entry are gone when the walk goes on", function()
    local walker = assert(archive.scan(sample("sample.tar.gz")))
    local kept
    for _, stream in walker:walk() do
        if kept then
            check.fails("Internal", kept:read(10))
            break
        end
        kept = stream
    end
end)

check.case("a stream has lines, and goes into files", function()
    local reader = assert(archive.open(fixtures, "sample.zip"))
    local scanner = assert(reader:stream("docs/long.txt")):scanner("lines")
    local count = 0
    while scanner:scan() do
        check.equal(scanner:text(), "line of text")
        count = count + 1
    end
    check.equal(count, 5000)
    clean("/")
    check.is_true((reader:extract("docs/long.txt", out)))
    check.equal((out:readfile("docs/long.txt")), LONG)
    check.is_true((reader:extract("docs/long.txt", out, "other.txt")))
    check.equal((out:readfile("other.txt")), LONG)
    check.equal((reader:extract_all(out, { prefix = "all/", strip = 1 })), 2)
    check.equal((out:readfile("all/long.txt")), LONG)
    local count_of_filtered = reader:extract_all(out, { prefix = "some/", filter = function(entry) return entry.size == 6 end })
    check.equal(count_of_filtered, 1)
    check.equal((out:readfile("some/readme.txt")), "hello\n")
end)

check.case("what is written is read again", function()
    local noise = {}
    for n = 1, 20000 do
        noise[n] = string.char(n * 7919 % 251)
    end
    noise = table.concat(noise)
    for _, format in ipairs(archive.formats()) do
        local bytes = packed(format, function(writer)
            check.is_true((writer:add("a.txt", "hello", { mode = 0x1ed, modified = 1000000000 })))
            check.is_true((writer:add_dir("empty")))
            check.is_true((writer:add("sub/stream", source(LONG .. noise, 777))))
            check.is_true((writer:add("stored", noise, { method = "store" })))
            check.is_true((writer:add_file(("x"):rep(200), fixtures, "sample.zip")))
            check.is_true((writer:add("nothing", "")))
        end)
        local found = {}
        for entry, stream in assert(archive.scan(bytes)):walk() do
            if entry.name == "a.txt" then
                check.equal({ entry.mode, entry.modified }, { 0x1ed, 1000000000 }, format)
            end
            local pieces = {}
            for piece in function() return stream and stream:read(5000) end do
                pieces[#pieces + 1] = piece
            end
            found[entry.name] = entry.is_dir and "directory" or table.concat(pieces)
        end
        check.equal(found["a.txt"], "hello", format)
        check.equal(found["empty/"], "directory", format)
        check.is_true(found["sub/stream"] == LONG .. noise, format)
        check.is_true(found["stored"] == noise, format)
        check.is_true(found[("x"):rep(200)] == sample("sample.zip"), format)
        check.equal(found["nothing"], "", format)
    end
end)

check.case("an archive is written into a volume", function()
    clean("/")
    local writer = assert(archive.create(out, "made.tar.gz"))
    check.is_true((writer:add("a", "one")))
    check.is_true((writer:close()))
    check.is_true((writer:close()))
    check.fails("Invalid", writer:add("b", "two"))
    check.equal((out:readfile("made.tar.gz")):sub(1, 2), "\x1f\x8b")
    writer = assert(archive.create(out, "made.zip"))
    check.is_true((writer:add("a", "one")))
    check.is_true((writer:add_dir("b")))
    check.is_true((writer:close()))
    check.equal((assert(archive.open(out, "made.zip")):read("a")), "one")
    check.fails("Invalid", archive.create(out, "made.rar"))
    check.fails("PermissionDenied", archive.create(fixtures, "made.zip"))
end)

check.case("no entry is put outside of where it belongs", function()
    for _, name in ipairs({ "../evil", "/evil", "a/../../evil", "C:evil", "\\evil", "a\\..\\evil" }) do
        for _, format in ipairs({ "zip", "tar" }) do
            local reader = assert(archive.open(packed(format, function(writer)
                check.is_true((writer:add(name, "x")))
            end)))
            check.fails("Invalid", reader:extract_all(out))
            check.fails("Invalid", reader:extract(name, out))
        end
    end
end)

check.case("the limits of the options hold", function()
    local zip = packed("zip", function(writer)
        for n = 1, 20 do
            writer:add("zeros" .. n, ("\0"):rep(1000000))
        end
    end)
    check.is_true(#zip < 40000)
    local err = check.fails("Invalid", archive.open(zip, { max_entries = 19 }))
    check.equal(err:details(), { limit = "max_entries", allowed = 19, used = 20 })
    local reader = assert(archive.open(zip, { max_file_bytes = 999999 }))
    check.contains(check.fails("Invalid", reader:read("zeros1")), "max_file_bytes")
    reader = assert(archive.open(zip, { max_inline_bytes = 999999 }))
    check.contains(check.fails("Invalid", reader:read("zeros1")), "stream")
    reader = assert(archive.open(zip, { max_total_bytes = 3000000 }))
    for n = 1, 3 do
        check.equal(#assert(reader:read("zeros" .. n)), 1000000)
    end
    check.contains(check.fails("Invalid", reader:read("zeros4")), "max_total_bytes")
    local gz = packed("tar.gz", function(writer)
        for n = 1, 5 do
            writer:add("zeros" .. n, ("\0"):rep(1000000))
        end
    end)
    local walk = assert(archive.scan(gz, { max_total_bytes = 3000000 })):walk()
    check.raises("max_total_bytes", function()
        for _ = 1, 5 do
            walk()
        end
    end)
    walk = assert(archive.scan(gz, { max_entries = 2 })):walk()
    check.raises("max_entries", function()
        for _ = 1, 5 do
            walk()
        end
    end)
    local writer = assert(archive.create(sink(), { format = "zip", max_file_bytes = 10, max_entries = 2 }))
    check.fails("Invalid", writer:add("a", ("x"):rep(11)))
end)

check.case("broken archives are errors", function()
    check.fails("Invalid", archive.open("this is no archive"))
    check.fails("Invalid", archive.open(""))
    check.fails("Invalid", archive.open("PK\5\6"))
    check.fails("Invalid", archive.open(sample("sample.zip"), { format = "rar" }))
    check.fails("Invalid", archive.open(sample("sample.zip"), { max_entries = -1 }))
    check.fails("Unavailable", assert(archive.open(fixtures, "locked.zip")):read("readme.txt"))
    check.raises("bad argument", archive.open, 5)
    check.raises("bad argument", archive.open, fixtures)
    check.raises("bad argument", archive.create, {})
    for _, name in ipairs({ "sample.zip", "sample.tar", "sample.tar.gz", "sample.tar.zst", "streamed.zip" }) do
        local whole = sample(name)
        local step = math.max(#whole // 60, 1)
        for at = 1, #whole, step do
            local flipped = whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ 0xff) .. whole:sub(at + 1)
            for _, bytes in ipairs({ whole:sub(1, at), flipped }) do
                local walker, err = archive.scan(bytes, { format = name:match("%.(.*)") })
                if walker then
                    local fine, problem = pcall(function()
                        for _, stream in walker:walk() do
                            while stream and stream:read(65536) do end
                        end
                    end)
                    check.is_true(fine or type(problem) == "userdata", name .. " " .. at)
                else
                    check.equal(err:kind(), "Invalid", name .. " " .. at)
                end
            end
        end
    end
end)

check.case("changed bytes do not pass for the entry", function()
    local whole = sample("sample.zip")
    local at = whole:find("hello\n", 1, true)
    local reader = assert(archive.open(whole:sub(1, at - 1) .. "jello\n" .. whole:sub(at + 6)))
    check.contains(check.fails("Invalid", reader:read("readme.txt")), "checksum")
end)

check.case("policies decide who reads and writes archives", function()
    local scope = security.new_scope({ assert(security.policy("archive_module:calls")) })
    local caller = funcs.new():with_actor(security.new_actor("somebody", {})):with_scope(scope)
    local kinds, err = caller:call("archive_module:guarded")
    check.is_nil(err)
    check.equal(kinds, { "PermissionDenied", "PermissionDenied" })
end)

return { main = check.main }
