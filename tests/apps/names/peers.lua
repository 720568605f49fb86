-- Registers itself, and answers.
local function holder(parent, name)
    local inbox = process.inbox()
    local ok, err = process.registry.register(name)
    process.send(parent, "registered", ok and true or err:kind())
    local message = inbox:receive()
    return message:payload():data()
end

local function ends() end

return { holder = holder, ends = ends }
