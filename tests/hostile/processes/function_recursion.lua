-- attack: a function that calls itself without end
-- stopped by: quota.processes, because functions run on the host of their caller
-- ends: LimitExceeded processes | LimitExceeded wall_time | Canceled

local function main()
    local value, err = require("funcs").call("tenant:function_recursion_function")
    if value == nil then
        return nil, err
    end
    return true
end

return { main = main }
