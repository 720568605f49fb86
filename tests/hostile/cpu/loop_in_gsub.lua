-- attack: a loop in the callback of a C function
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    return (("x"):gsub(".", function()
        while true do end
    end))
end

return { main = main }
