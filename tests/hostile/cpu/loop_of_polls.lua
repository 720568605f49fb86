-- attack: a select with a default, without end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local ch = channel.new()
    while true do
        channel.select({ ch:case_receive(), default = true })
    end
end

return { main = main }
