-- The tables of the module `system`.
local native = ...

local module = { exit = native.exit, modules = native.modules }
for group, names in pairs({
    memory = { "stats", "allocated", "heap_objects", "set_limit", "get_limit" },
    gc = { "collect", "set_percent", "get_percent" },
    runtime = { "goroutines", "max_procs", "cpu_count" },
    process = { "pid", "hostname", "cwd" },
    hosts = { "list", "processes" },
    supervisor = { "state", "states" },
    node = { "id", "addr", "role" },
    cluster = { "members", "leader", "size" },
    raft = { "is_leader", "is_member", "role", "term", "commit_index", "stats" },
    lock = { "acquire", "release" },
}) do
    module[group] = {}
    for _, name in ipairs(names) do
        module[group][name] = native[group .. "." .. name]
    end
end

return module
