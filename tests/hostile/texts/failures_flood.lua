-- attack: processes that end with long errors, without end
-- stopped by: what is kept of an error
-- ends: ok
-- modules: time

local function main(role)
    if role then
        error(("x"):rep(60000))
    end
    for _ = 1, 200 do
        process.spawn("tenant:failures_flood", "tenant:processes", "child")
        require("time").sleep("1ms")
    end
    return true
end

return { main = main }
