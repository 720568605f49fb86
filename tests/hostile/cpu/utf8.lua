-- attack: utf8 over a long text of the longest characters
-- stopped by: limits.cpu_per_turn
-- ends: LimitExceeded cpu_per_turn

local function main()
    local text = utf8.char(0x10ffff):rep(100000)
    while true do
        for _ in utf8.codes(text) do end
        utf8.len(text)
        utf8.offset(text, -1)
    end
end

return { main = main }
