-- attack: an error object whose __tostring never returns
-- stopped by: how an exit is made
-- ends: Internal | LimitExceeded cpu_per_turn

local function main()
    error(setmetatable({}, {
        __tostring = function()
            while true do end
        end,
    }))
end

return { main = main }
