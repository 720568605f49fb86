-- attack: recursions that go through C functions
-- stopped by: Lua's limit of C calls
-- ends: ok

local function main()
    local function under(act)
        local ok, err = pcall(act)
        assert(not ok, "this must overflow")
        assert(tostring(err):find("overflow") or tostring(err):find("too complex") or tostring(err):find("memory"), err)
    end
    local function through_gsub()
        return (("x"):gsub(".", through_gsub))
    end
    local function through_sort()
        table.sort({ 2, 1 }, through_sort)
    end
    local through_tostring = setmetatable({}, {})
    getmetatable(through_tostring).__tostring = function(value)
        return tostring(value)
    end
    local through_index = setmetatable({}, {})
    getmetatable(through_index).__index = function(value, key)
        return value[key .. "x"]
    end
    local function through_wrap()
        return coroutine.wrap(through_wrap)()
    end
    local through_concat = setmetatable({}, {})
    getmetatable(through_concat).__concat = function(one, other)
        return one .. other
    end
    under(through_gsub)
    under(through_sort)
    under(function()
        return tostring(through_tostring)
    end)
    under(function()
        return through_index.x
    end)
    under(through_wrap)
    under(function()
        return through_concat .. through_concat
    end)
    return true
end

return { main = main }
