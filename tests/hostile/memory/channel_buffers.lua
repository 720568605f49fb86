-- attack: buffers filled with what is large
-- stopped by: limits.memory
-- ends: LimitExceeded memory

local function main()
    local list = {}
    for number = 1, 400 do
        list[number] = channel.new(1000)
        for _ = 1, 1000 do
            list[number]:send(("x"):rep(1000) .. number)
        end
    end
end

return { main = main }
