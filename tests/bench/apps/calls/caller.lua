local funcs = require("funcs")
local time = require("time")

local function main(count)
    local start = time.now()
    for index = 1, count do
        local value, err = funcs.call("app:echo", index)
        if err then
            return nil, err
        end
        assert(value == index)
    end
    return time.now():sub(start):seconds()
end

return { main = main }
