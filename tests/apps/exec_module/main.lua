local exec = require("exec")
local time = require("time")
local check = require("check")

local function executor(name)
    local found, err = exec.get("exec_module:" .. (name or "any"))
    check.is_nil(err)
    return found
end

local function read_all(stream)
    local parts = {}
    while true do
        local chunk, err = stream:read(4096)
        check.is_nil(err)
        if not chunk then
            return table.concat(parts)
        end
        table.insert(parts, chunk)
    end
end

local function run(line, options, name)
    local command, err = executor(name):exec(line, options)
    check.is_nil(err)
    local out = command:stdout_stream()
    check.is_true((command:start()))
    local text = read_all(out)
    return text, (command:wait())
end

check.case("an id must lead to an executor", function()
    check.fails("Invalid", exec.get(""))
    check.fails("NotFound", exec.get("exec_module:nothing"))
    check.fails("Invalid", exec.get("exec_module:main"))
    check.contains(check.fails("Unavailable", exec.get("exec_module:docker")), "exec.native")
    check.is_true(not pcall(exec.get))
end)

check.case("a command gives its output and its code", function()
    local text, code = run("echo 'a  b' c")
    check.equal(text, "a  b c\n")
    check.equal(code, 0)
    check.equal(math.type(code), "integer")
    local command = executor():exec("sh -c 'echo oops >&2; exit 3'")
    local err = command:stderr_stream()
    command:start()
    check.equal(read_all(err), "oops\n")
    check.equal((command:wait()), 3)
end)

check.case("there is no shell", function()
    check.equal((run("echo $HOME `id` a;b |c >d *")), "$HOME `id` a;b |c >d *\n")
end)

check.case("the environment is clean but for what is given", function()
    local text = run("env", { env = { EXTRA = "x y", NUMBER = 7, FLAG = true } })
    local lines = {}
    for line in string.gmatch(text, "[^\n]+") do
        if not string.find(line, "^PWD=") and not string.find(line, "^_=") and not string.find(line, "^SHLVL=") then
            table.insert(lines, line)
        end
    end
    table.sort(lines)
    check.equal(lines, { "EXTRA=x y", "FLAG=true", "GREETING=hello", "NUMBER=7", "PATH=/usr/bin:/bin" })
end)

check.case("the working directory can be chosen", function()
    check.equal((run("pwd", { work_dir = "/usr" })), "/usr\n")
    check.equal((run("pwd", nil, "slow")), "/\n")
end)

check.case("standard input", function()
    local command = executor():exec("sort")
    local out = command:stdout_stream()
    check.is_true(out == command:stdout_stream())
    command:start()
    check.is_true((command:write_stdin("banana\napple\n")))
    check.is_true((command:write_stdin("cherry\n")))
    check.is_true((command:write_stdin("")))
    check.fails("Invalid", command:write_stdin("late"))
    check.equal((out:read()), "apple\nbanana\ncherry\n")
    check.equal((command:wait()), 0)
    check.is_true((out:close()))
    check.is_true((out:close()))
    check.fails("Internal", out:read())
end)

check.case("streams have what streams have", function()
    local command = executor():exec("echo one two")
    local out = command:stdout_stream()
    local info = out:stat()
    check.equal({ info.size, info.position, info.readable, info.writable, info.seekable }, { -1, 0, true, false, false })
    check.fails("Internal", out:write("x"))
    check.fails("Internal", out:seek("set", 0))
    check.fails("Invalid", out:seek("middle", 0))
    check.is_true((out:flush()))
    command:start()
    local scanner = out:scanner("words")
    check.is_true((scanner:scan()))
    check.equal(scanner:text(), "one")
    check.is_true((scanner:scan()))
    check.equal(scanner:text(), "two")
    check.equal((scanner:scan()), false)
    command:wait()
end)

check.case("the order of calls is checked", function()
    local command = executor():exec("echo x")
    check.fails("Invalid", command:wait())
    check.fails("Invalid", command:write_stdin("x"))
    check.fails("Invalid", command:signal(15))
    check.fails("Invalid", command:pid())
    check.is_true((command:start()))
    check.fails("Invalid", command:start())
    check.equal((command:wait()), 0)
    check.fails("Invalid", command:wait())
    check.fails("Invalid", command:start())
    local unused = executor():exec("echo x")
    check.is_true((unused:close()))
    check.fails("Invalid", unused:start())
end)

check.case("signals", function()
    local command = executor("slow"):exec("sleep 1000")
    command:start()
    check.fails("Invalid", command:signal(9999))
    check.is_true((command:signal(15)))
    check.equal((command:wait()), 143)
    command = executor("slow"):exec("sleep 1000")
    command:start()
    check.is_true((command:close(true)))
    check.is_true((command:close()))
    check.fails("Invalid", command:wait())
end)

check.case("time, output and number are limited", function()
    local command = executor():exec("sleep 1000")
    command:start()
    local err = check.fails("Timeout", command:wait())
    check.equal(err:retryable(), true)
    command = executor():exec("yes")
    local out = command:stdout_stream()
    command:start()
    local problem
    repeat
        local chunk
        chunk, problem = out:read(65536)
    until not chunk
    check.equal(problem and problem:kind(), "LimitExceeded")
    command:close(true)
    local started, last = {}, nil
    for n = 1, 5 do
        started[n] = executor():exec("sleep 1000")
        local ok
        ok, last = started[n]:start()
        if not ok then
            break
        end
    end
    check.equal(last and last:kind(), "RateLimited")
    for _, each in ipairs(started) do
        each:close(true)
    end
end)

check.case("an allow list holds to the letter", function()
    check.equal((run("echo one", nil, "listed")), "one\n")
    check.fails("PermissionDenied", executor("listed"):exec("echo one two"))
    check.fails("PermissionDenied", executor("listed"):exec("echo  one"))
    check.contains(check.fails("PermissionDenied", executor("listed"):exec("ls")), "command_whitelist")
end)

check.case("with an allow list, variables are those that the entry names", function()
    local text = run("env", { env = { LC_MESSAGES = "C" } }, "listed")
    check.contains(text, "LC_MESSAGES=C")
    for _, name in ipairs({ "LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "BASH_ENV", "GIT_DIR", "PYTHONPATH", "OTHER" }) do
        check.fails("PermissionDenied", executor("listed"):exec("env", { env = { [name] = "/tmp/x" } }))
    end
    check.fails("PermissionDenied", executor("listed_below"):exec("pwd", { env = { LC_MESSAGES = "C" } }))
end)

check.case("the working directory stays below that of the entry", function()
    check.equal((run("pwd", nil, "listed_below")), "/usr\n")
    check.equal((run("pwd", { work_dir = "bin/../share" }, "listed_below")), "/usr/share\n")
    check.equal((run("pwd", { work_dir = "/usr/share" }, "listed_below")), "/usr/share\n")
    for _, dir in ipairs({ "..", "/", "/etc", "share/../..", "/usr2" }) do
        check.fails("PermissionDenied", executor("listed_below"):exec("pwd", { work_dir = dir }))
    end
    check.fails("PermissionDenied", executor("listed"):exec("pwd", { work_dir = "/usr" }))
    check.fails("Invalid", executor("listed_below"):exec("pwd", { work_dir = "no-such" }):start())
end)

check.case("what cannot be started says so", function()
    local command = executor():exec("no-such-command-at-all")
    check.fails("NotFound", command:start())
    check.fails("Invalid", executor():exec(""))
    check.fails("Invalid", executor():exec("echo 'x"))
    check.fails("Invalid", executor():exec("echo \0"))
    check.fails("Invalid", executor():exec("echo " .. string.rep("x", 40000)))
    check.fails("Invalid", executor():exec("echo", { env = { ["a=b"] = "c" } }))
    check.fails("Invalid", executor():exec("echo", { env = { a = {} } }))
    check.fails("Invalid", executor():exec("echo", { env = "x" }))
    check.fails("Invalid", executor():exec("echo", { work_dir = 5 }))
    check.is_true(not pcall(executor().exec, executor(), {}))
    check.is_true(not pcall(executor().exec, executor(), "echo", "x"))
    local released = executor()
    check.is_true((released:release()))
    check.fails("Invalid", released:exec("echo x"))
end)

check.case("a command ends with the process that started it", function()
    local pid = assert(process.exec("exec_module:leaver", "lib:processes"))
    local gone = false
    for _ = 1, 200 do
        local command = executor("slow"):exec("kill -0 " .. pid)
        command:start()
        if command:wait() ~= 0 then
            gone = true
            break
        end
        time.sleep("10ms")
    end
    check.is_true(gone)
end)

return { main = check.main }
