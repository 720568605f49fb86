-- attack: values that no message can hold
-- stopped by: the encoder
-- ends: ok

local function main()
    local expect = require("expect")
    local cycle = {}
    cycle.again = { cycle }
    local function send(value)
        expect.refused("Invalid", process.send(process.pid(), "topic", value))
    end
    send(cycle)
    send(function() end)
    send(coroutine.create(function() end))
    send({ deep = { inside = print } })
    send({ [{}] = 1 })
    send({ [print] = 1 })
    send(process.inbox)
    local map = {}
    map[map] = map
    send(map)
    assert(process.send(process.pid(), "topic", { [1.5] = 0 / 0, [-1] = math.huge, [true] = math.mininteger }) ~= nil)
    assert(not pcall(function()
        local nan = {}
        nan[0 / 0] = 1
    end))
    return true
end

return { main = main }
