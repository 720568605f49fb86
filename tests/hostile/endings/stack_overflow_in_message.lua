-- attack: an error that is raised at the bottom of a full stack
-- stopped by: how an exit is made
-- ends: ok | Internal | LimitExceeded

local function main()
    local function descend()
        local ok, err = pcall(descend)
        if not ok then
            error(err, 0)
        end
    end
    local ok = pcall(descend)
    return true
end

return { main = main }
