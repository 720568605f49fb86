-- attack: channels in messages without end
-- stopped by: the limits of host channels
-- ends: ok

local function main()
    local expect = require("expect")
    local list = {}
    for number = 1, 300 do
        list[number] = channel.new()
    end
    local ok, err = process.send(process.pid(), "many", list)
    assert(not ok and err:kind() == "LimitExceeded")
    local count = 0
    repeat
        ok, err = process.send(process.pid(), "one", channel.new(1))
        count = count + 1
    until not ok or count > 20000
    assert(not ok and count < 2000, count)
    return true
end

return { main = main }
