-- attack: an error far down, with a traceback of everything
-- stopped by: what is kept of an error
-- ends: Internal xxxx | LimitExceeded memory

local function main()
    local function descend(depth)
        if depth == 0 then
            error(("x"):rep(500000))
        end
        return 1 + descend(depth - 1)
    end
    return descend(10000)
end

return { main = main }
