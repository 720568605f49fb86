-- attack: modules and files that nobody granted
-- stopped by: grants, checked in the host
-- ends: ok
-- modules: time, io, exec, fs

local function main()
    local function refused(name)
        local ok, err = pcall(require, name)
        assert(not ok, "require gave " .. tostring(name))
        assert(tostring(err):find("not found", 1, true) or tostring(err):find("bad argument", 1, true), err)
    end
    for _, name in ipairs({
        "io", "os.execute", "debug", "package", "_G", "ffi", "jit", "fs", "exec", "env", "sql", "http_client", "registry", "security", "system",
        "../driver", "/etc/passwd", "./expect.lua", "driver", "driver:main", "neighbour:victim", "attacks", "", "\0", "\27[2J", ("x"):rep(1000000),
        "\xff\xfe", "string ", " time", "TIME",
    }) do
        refused(name)
    end
    for _, value in ipairs({ 1, true, {}, print }) do
        assert(not pcall(require, value))
    end
    assert(not pcall(require))
    return true
end

return { main = main }
