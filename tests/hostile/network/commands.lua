-- attack: a command that is allowed, made another one by its variables or its directory
-- stopped by: env_whitelist and default_work_dir of an executor that lists its commands
-- ends: ok
-- modules: exec

local exec = require("exec")
local expect = require("expect")

local NAMES = {
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PATH", "IFS", "BASH_ENV", "ENV", "GIT_CONFIG_GLOBAL",
    "GIT_SSH_COMMAND", "PYTHONSTARTUP", "PERL5OPT", "NODE_OPTIONS", "ld_preload", "GLIBC_TUNABLES", "LC_ALL", "HOME",
}

local function main()
    local date = assert(exec.get("tenant:date"))
    for _, name in ipairs(NAMES) do
        expect.refused("PermissionDenied", date:exec("date", { env = { [name] = "/tmp/evil.so" } }))
    end
    for _, dir in ipairs({ "/", "/tmp", "..", "share/../..", "/usr/../tmp", "/usrx" }) do
        expect.refused("PermissionDenied", date:exec("date", { work_dir = dir }))
    end
    for _, line in ipairs({ "env", "date ", "date;id", "./date", "/usr/bin/date" }) do
        expect.refused("PermissionDenied", date:exec(line))
    end
    local command = assert(date:exec("date", { env = { TZ = "UTC" }, work_dir = "share" }))
    assert(command:start())
    assert(command:wait() == 0)
    return true
end

return { main = main }
