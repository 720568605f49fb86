-- What attacks check: that they are refused, and how.
local expect = {}

-- `expect.refused("NotFound", process.send(...))`: it gave nothing and an Error of that kind.
function expect.refused(kind, value, err)
    if value then
        error("this must be refused with " .. kind .. ", but gave " .. tostring(value), 2)
    elseif type(err) ~= "userdata" or err:kind() ~= kind then
        error("this must be refused with " .. kind .. ", but gave " .. tostring(err), 2)
    end
    return err
end

-- It raises something that contains the text.
function expect.raises(text, run, ...)
    local ok, err = pcall(run, ...)
    if ok then
        error("this must raise", 2)
    elseif not tostring(err):find(text, 1, true) then
        error("this must raise `" .. text .. "`, but raised " .. tostring(err), 2)
    end
end

-- Calls until it is refused, at most so often. Gives the error and how often it was let through.
function expect.until_refused(kind, most, run)
    for number = 1, most do
        local value, err = run(number)
        if not value then
            return expect.refused(kind, value, err), number - 1
        end
    end
    error("this must be refused with " .. kind .. " before " .. most .. " times", 2)
end

-- Runs another role of an attack, and gives how it ended.
function expect.outcome(id, host, ...)
    local pid = assert(process.spawn_monitored(id, host, ...))
    local events = process.events()
    repeat
        local event = events:receive()
        if event.kind == process.event.EXIT and event.from == pid then
            return event.result.value, event.result.error
        end
    until false
end

return expect
