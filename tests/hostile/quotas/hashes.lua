-- attack: a hash of a password for which the tenant has no memory left
-- stopped by: quota.memory, to which the memory of a hash is charged while it is computed
-- ends: ok
-- modules: crypto, funcs

local crypto = require("crypto")
local expect = require("expect")
local funcs = require("funcs")

local function main()
    local body = ("x"):rep(3900000)
    expect.until_refused("LimitExceeded", 100, function(number)
        return funcs.new():with_context({ body = body, number = number }):async("tenant:narrow")
    end)
    local err = expect.refused("LimitExceeded", crypto.argon2.hash("password", { memory = 8192, time = 1 }))
    assert(err:details().limit == "quota.memory", err:message())
    return true
end

return { main = main }
