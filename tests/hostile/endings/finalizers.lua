-- attack: objects whose finalizers never end, left when the process does
-- stopped by: an instance that is dropped, not closed
-- ends: ok | LimitExceeded cpu_per_turn

local function main()
    for _ = 1, 100 do
        setmetatable({}, {
            __gc = function()
                while true do end
            end,
        })
    end
    return true
end

return { main = main }
