-- `require` finds the modules that the entry lists under `modules`, and nothing else.
local io = require("io")

-- The words after the command arrive as strings.
local function main(name)
    io.print("Hello, " .. (name or "world") .. "!")
end

return { main = main }
