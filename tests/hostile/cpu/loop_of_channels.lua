-- attack: two coroutines that hand a value to and fro inside one step
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local there, back = channel.new(), channel.new()
    coroutine.spawn(function()
        while true do
            back:send(there:receive())
        end
    end)
    while true do
        there:send(1)
        back:receive()
    end
end

return { main = main }
