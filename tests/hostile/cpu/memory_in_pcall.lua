-- attack: a program that catches "not enough memory" and starts over
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn | LimitExceeded cpu_total | LimitExceeded memory

local function main()
    local function fill()
        local list = {}
        while true do
            list[#list + 1] = ("x"):rep(1000) .. #list
        end
    end
    while true do
        pcall(fill)
    end
end

return { main = main }
