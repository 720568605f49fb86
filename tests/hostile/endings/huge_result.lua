-- attack: a result that is too large
-- stopped by: limits.message_size
-- ends: LimitExceeded

local function main()
    return ("x"):rep(1000000)
end

return { main = main }
