-- attack: calls whose results nobody takes
-- stopped by: limits.pending_calls
-- ends: ok | LimitExceeded memory | LimitExceeded spawns_per_second
-- modules: funcs

local function main()
    local funcs = require("funcs")
    local expect = require("expect")
    local body = ("x"):rep(60000)
    local _, count = expect.until_refused("LimitExceeded", 5000, function()
        local future, err = funcs.async("tenant:echo", body)
        if not future and err:kind() == "LimitExceeded" and err:message():find("processes", 1, true) then
            -- The quota of the host: wait until some have ended.
            return true
        end
        return future, err
    end)
    return true
end

return { main = main }
