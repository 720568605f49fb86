local logger = require("logger")

local function main()
    print("from print", 1, true)
    logger:debug("a debug message")
    logger:info("an info message", { key = "value" })
    logger:named("auth"):with({ user = 7 }):warn("a warning")
    logger:error("an error", { list = { 1, 2 } })
    -- What would steer a terminal is shown, not obeyed.
    print("\27[31mred\r\nfake line")
    io.print("done")
end

return { main = main }
