-- attack: a process that waits for one that waits for one, without end
-- stopped by: quota.processes
-- ends: LimitExceeded processes | LimitExceeded wall_time | Canceled

local function main()
    local value, err = process.exec("tenant:exec_recursion", "tenant:processes")
    if value == nil then
        return nil, err
    end
    return true
end

return { main = main }
