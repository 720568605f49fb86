local funcs = require("funcs")

-- Calls a function again and again until it is told to stop, and counts what it gave.
local function caller(id)
    local stop = process.listen("stop")
    local seen, calls = {}, 0
    while true do
        local ready = channel.select({ stop:case_receive(), default = true })
        if not ready.default then
            return { calls = calls, seen = seen }
        end
        local value, err = funcs.call(id)
        if err then
            return nil, err
        end
        calls = calls + 1
        seen[tostring(value)] = (seen[tostring(value)] or 0) + 1
        if calls == 1 then
            process.send(ready.value or "registry.main", "started", true)
        end
    end
end

return { caller = caller }
