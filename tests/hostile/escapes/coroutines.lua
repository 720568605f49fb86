-- attack: coroutines resumed, closed and yielded where they must not
-- stopped by: the states of coroutines
-- ends: ok | Internal deadlock | Internal

local function main()
    local main_thread = coroutine.running()
    assert(not coroutine.resume(main_thread))
    pcall(coroutine.close, main_thread)
    local wrapped
    wrapped = coroutine.wrap(function()
        return pcall(wrapped)
    end)
    wrapped()
    local self_closing
    self_closing = coroutine.create(function()
        pcall(coroutine.close, self_closing)
        coroutine.yield()
    end)
    coroutine.resume(self_closing)
    coroutine.close(self_closing)
    assert(not coroutine.resume(self_closing))
    -- A thread of the scheduler, taken over by the program.
    local ch = channel.new()
    local spawned = coroutine.spawn(function()
        ch:receive()
    end)
    pcall(coroutine.resume, spawned)
    pcall(coroutine.close, spawned)
    pcall(coroutine.resume, spawned, 1, 2, 3)
    -- Yields across what cannot yield.
    for _, act in ipairs({
        function() ("x"):gsub(".", coroutine.yield) end,
        function() table.sort({ 2, 1 }, coroutine.yield) end,
        function() return tostring(setmetatable({}, { __tostring = coroutine.yield })) end,
        function() for _ in coroutine.yield do end end,
    }) do
        local thread = coroutine.create(act)
        coroutine.resume(thread)
        coroutine.resume(thread)
        coroutine.close(thread)
    end
    -- A block inside what cannot yield.
    pcall(string.gsub, "x", ".", function()
        channel.new():receive()
    end)
    return true
end

return { main = main }
