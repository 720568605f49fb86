-- attack: terminal sequences in the names that a traceback shows
-- stopped by: text without control characters in logs
-- ends: Internal deep

local function main()
    local evil = { ["\27[31mowned"] = function() error("deep") end }
    evil["\27[31mowned"]()
end

return { main = main }
