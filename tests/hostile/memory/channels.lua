-- attack: channels, and buffers of channels, without end
-- stopped by: limits.channels and limits.channel_buffer
-- ends: ok

local function main()
    assert(not pcall(function()
        assert(channel.new(1000000))
    end))
    local list = {}
    assert(not pcall(function()
        while true do
            list[#list + 1] = assert(channel.new())
        end
    end))
    assert(#list <= 500, #list)
    return true
end

return { main = main }
