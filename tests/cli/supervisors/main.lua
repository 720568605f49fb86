local started = process.listen("started")

-- The next starts, in alphabetical order.
local function starts(count)
    local names = {}
    local limit = time.after("20s")
    while #names < count do
        local ready = channel.select({ started:case_receive(), limit:case_receive() })
        if ready.channel == limit then
            error("only " .. table.concat(names, " ") .. " started", 2)
        end
        table.insert(names, ready.value)
    end
    table.sort(names)
    return table.concat(names, " ")
end

local function tell(name, what)
    assert(process.send(name, what))
end

local function main()
    process.registry.register("counter")
    io.print("all: " .. starts(17))

    tell("one.b", "fail")
    io.print("one_for_one: " .. starts(1))
    tell("all.b", "fail")
    io.print("one_for_all: " .. starts(3))
    tell("rest.b", "fail")
    io.print("rest_for_one: " .. starts(2))

    tell("outer.inner.fragile", "fail")
    io.print("nested: " .. starts(2))

    tell("kinds.permanent", "end")
    io.print("permanent, ended: " .. starts(1))
    process.terminate(process.registry.lookup("kinds.permanent"))
    io.print("permanent, terminated: " .. starts(1))
    tell("kinds.transient", "fail")
    io.print("transient, failed: " .. starts(1))
    tell("kinds.transient", "end")
    tell("kinds.temporary", "fail")

    tell("weak.a", "fail")
    io.print("weak: " .. starts(1))
    tell("weak.a", "fail")
    io.print("weak, given up: " .. starts(2))

    -- Nothing else was started, in particular no child that ended for good.
    local limit = time.after("100ms")
    local ready = channel.select({ started:case_receive(), limit:case_receive() })
    if ready.channel == started then
        return nil, ready.value .. " was started once more"
    end
end

return { main = main }
