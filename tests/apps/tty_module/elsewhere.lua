local tty = require("tty")

-- What a function without a terminal gets.
local function main()
    local kinds = {}
    for _, name in ipairs({ "start", "stop", "events", "screen_size", "mouse" }) do
        local results = table.pack(tty[name]())
        kinds[name] = results[results.n]:kind()
    end
    return { kinds = kinds, text = tty.style():bold():render("x") }
end

return { main = main }
