-- attack: a loop under several C functions at once
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    pcall(string.gsub, "x", ".", coroutine.wrap(function()
        pcall(table.sort, { 2, 1 }, function()
            while true do end
        end)
    end))
end

return { main = main }
