-- attack: an error object whose __tostring raises
-- stopped by: how an exit is made
-- ends: Internal

local function main()
    error(setmetatable({}, {
        __tostring = function(value)
            error(value)
        end,
        __name = 1,
    }))
end

return { main = main }
