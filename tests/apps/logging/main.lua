local check = require("check")
local logger = require("logger")

-- What the log shows is checked in `tests/cli/logs`; with `-x` it is quiet.

check.case("every level, with and without fields", function()
    for _, level in ipairs({ "debug", "info", "warn", "error" }) do
        logger[level](logger, "message")
        logger[level](logger, "message", { text = "a", number = 1, list = { 1, 2 }, inner = { x = true } })
    end
end)

check.case("child loggers", function()
    local child = logger:with({ request = 1 })
    child:info("with fields")
    child:with({ more = 2 }):named("auth"):warn("named", { x = 1 })
    logger:named("a"):named("b"):info("twice named")
end)

check.case("an empty name is Invalid", function()
    check.fails(errors.INVALID, logger:named(""))
end)

check.case("print takes anything", function()
    print()
    print("a", 1, nil, true, {}, errors.new("x"))
end)

check.case("wrong argument types raise", function()
    check.raises("", logger.info, logger)
    check.raises("", logger.info, logger, {})
end)

check.case("fields that cannot be written do not break the program", function()
    local cycle = {}
    cycle.self = cycle
    pcall(logger.info, logger, "a cycle", cycle)
    pcall(logger.info, logger, "a function", { f = print })
end)

return { main = check.main }
