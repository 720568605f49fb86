-- attack: terminal sequences in a result
-- stopped by: text without control characters in logs
-- ends: unknown owned

local function main()
    return nil, "\27[31mowned"
end

return { main = main }
