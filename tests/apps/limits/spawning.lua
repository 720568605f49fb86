local funcs = require("funcs")

-- Repeats an act until it fails; gives how often it went well, and how it failed.
local function until_it_fails(most, act)
    for count = 1, most do
        local ok, err = act(count)
        if not ok then
            return { count = count - 1, kind = err:kind(), retryable = err:retryable(), details = err:details() }
        end
    end
    return { count = most }
end

local function spawns()
    return until_it_fails(100, function()
        return process.spawn("limits:nothing", "lib:processes")
    end)
end

local function children()
    return until_it_fails(100, function()
        return process.spawn("limits:neighbour", "lib:processes")
    end)
end

local function calls()
    return until_it_fails(100, function(count)
        local value, err = funcs.call("limits:nothing", count)
        return value == count, err
    end)
end

return { spawns = spawns, children = children, calls = calls }
