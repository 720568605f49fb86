local exec = require("exec")

-- Starts a command that runs for long, tells its pid, and ends.
local function leaver()
    local command = assert(assert(exec.get("exec_module:slow")):exec("sleep 1000"))
    assert(command:start())
    return (command:pid())
end

return { leaver = leaver }
