-- Says how much memory the process that asks has used so far. Strangers' code gets no more of `process` than this.
local function memory(): integer
    local limits: any = assert(process.limits())
    return limits.memory.used
end

return { memory = memory }
