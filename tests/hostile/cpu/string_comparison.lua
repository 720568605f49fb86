-- attack: comparisons of long strings that differ at the end
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local one, other = ("x"):rep(1000000) .. "a", ("x"):rep(1000000) .. "b"
    while one < other and not (one == other) do end
end

return { main = main }
