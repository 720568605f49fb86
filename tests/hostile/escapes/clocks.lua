-- attack: dates and clocks at their limits
-- stopped by: the clock's own checks
-- ends: ok
-- modules: time

local function main()
    for _, value in ipairs({ 0, -1, math.maxinteger, math.mininteger, 1e300, -1e300, 0 / 0, math.huge, 253402300800, "x", {} }) do
        for _, format in ipairs({ "*t", "!*t", "%c", "!%c", "%Y-%m-%d", "", "%", "%E", "%Ez", "%O", ("%c"):rep(1000), "\0%d", "%\0", "\xff" }) do
            pcall(os.date, format, value)
        end
        pcall(os.time, { year = value, month = value, day = value, hour = value, min = value, sec = value })
        pcall(os.time, { year = 2000, month = value, day = 1 })
        pcall(os.difftime, value, value)
        pcall(time.unix, value, value)
        pcall(time.date, value, value, value, value, value, value, value)
        pcall(time.parse, tostring(value), tostring(value))
        pcall(time.parse_duration, value)
        pcall(time.load_location, value)
    end
    for _, name in ipairs({ "../../../etc/passwd", "/etc/localtime", "\0", "", ("x"):rep(100000), "Europe/../Europe/Berlin", "posix/UTC" }) do
        pcall(time.load_location, name)
        pcall(time.timezone, name)
    end
    return true
end

return { main = main }
