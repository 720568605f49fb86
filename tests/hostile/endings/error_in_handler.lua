-- attack: an error handler that raises
-- stopped by: how an exit is made
-- ends: ok

local function main()
    local ok = xpcall(error, function(err)
        error(err)
    end)
    assert(not ok)
    assert(not pcall(xpcall, error, setmetatable({}, { __call = function() error("again") end })))
    assert(not pcall(xpcall))
    assert(not pcall(xpcall, print))
    return true
end

return { main = main }
