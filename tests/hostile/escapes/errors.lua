-- attack: error objects taken apart
-- stopped by: userdata that hides its metatable
-- ends: ok

local function main()
    local err = errors.new({ message = "x", kind = "Invalid", details = { a = 1 } })
    assert(not pcall(function() err.message = print end))
    assert(not pcall(setmetatable, err, {}))
    local meta = getmetatable(err)
    assert(type(meta) ~= "table" or not pcall(rawset, meta, "__tostring", print))
    for _, value in ipairs({ 1, true, {}, { message = {} }, { kind = {} }, { message = "x", kind = "\27[31m" }, { message = "x", details = print }, { message = "x", details = err } }) do
        pcall(errors.new, value)
        pcall(errors.wrap, value, value)
        pcall(errors.is, value, value)
        pcall(errors.call_stack, value)
    end
    local cycle = {}
    cycle.self = cycle
    local with_cycle = errors.new({ message = "x", details = cycle })
    pcall(process.send, process.pid(), "topic", with_cycle)
    local wrapped = err
    for _ = 1, 2000 do
        wrapped = errors.wrap(wrapped, "again")
    end
    assert(#tostring(wrapped) > 2000)
    return true
end

return { main = main }
