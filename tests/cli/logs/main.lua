local logger = require("logger")
local time = require("time")

local function main()
    print("from print", 1, true)
    logger:debug("a debug message")
    logger:info("an info message", { key = "value" })
    logger:named("auth"):with({ user = 7 }):warn("a warning")
    logger:error("an error", { list = { 1, 2 } })
    -- Whatever else there is, the other fields are there.
    logger:info("a duration and more", { took = time.parse_duration("1500ms"), id = 5 })
    logger:info("an Error", { why = errors.new("not there"), list = { errors.new("inner") } })
    logger:info("an Error only", { why = errors.new("not there") })
    -- What would steer a terminal is shown, not obeyed.
    print("\27[31mred\r\nfake line")
    io.print("done")
end

return { main = main }
