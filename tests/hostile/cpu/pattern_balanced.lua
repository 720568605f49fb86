-- attack: balanced matches at every place of a long text
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local text = ("("):rep(200000)
    return (text:find("%b()x"))
end

return { main = main }
