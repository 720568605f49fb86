-- attack: contexts of as many keys as fit, laid over each other
-- stopped by: an overlay that looks keys up
-- ends: ok
-- limits: { wall_time: 3s, message_size: 64KB }

local function main()
    local context = {}
    for number = 1, 12000 do
        context[("%x"):format(number)] = 0
    end
    local time = require("time")
    local builder = process.with_context(context)
    local start = time.now():unix_nano()
    for _ = 1, 10 do
        local pid, err = builder:spawn("tenant:idle", "tenant:processes")
        if not pid then
            assert(err:kind() == "LimitExceeded", tostring(err))
        end
    end
    assert(time.now():unix_nano() - start < 2000000000, "this took too long")
    return true
end

return { main = main }
