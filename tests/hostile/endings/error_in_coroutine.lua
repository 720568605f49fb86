-- attack: an error in a coroutine that nobody looks at
-- stopped by: how an exit is made
-- ends: Internal aside

local function main()
    coroutine.spawn(function()
        error("aside")
    end)
    channel.new():receive()
end

return { main = main }
