-- attack: loops in metamethods, each in a coroutine that waits for its turn
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local function spin()
        while true do end
    end
    local trap = setmetatable({}, {
        __add = spin, __concat = spin, __len = spin, __eq = spin, __lt = spin, __call = spin, __newindex = spin, __unm = spin,
    })
    local other = setmetatable({}, getmetatable(trap))
    for _, act in ipairs({
        function() return trap + 1 end,
        function() return trap .. "" end,
        function() return #trap end,
        function() return trap == other end,
        function() return trap < other end,
        function() return trap() end,
        function() trap.field = 1 end,
        function() return -trap end,
    }) do
        coroutine.spawn(act)
    end
    channel.new():receive()
end

return { main = main }
