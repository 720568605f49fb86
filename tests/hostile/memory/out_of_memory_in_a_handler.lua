-- attack: memory that runs out while an error is handled
-- stopped by: limits.memory
-- ends: ok | LimitExceeded memory

local function main()
    local kept = {}
    xpcall(function()
        while true do
            kept[#kept + 1] = ("x"):rep(10000) .. #kept
        end
    end, function(err)
        while true do
            kept[#kept + 1] = { err, {} }
        end
    end)
    kept = nil
    return true
end

return { main = main }
