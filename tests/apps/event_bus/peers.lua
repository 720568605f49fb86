local events = events -- nothing where the entry does not name the module

local function publisher(system, count)
    for number = 1, count do
        events.send(system, "tick", "/" .. number, { number = number })
    end
end

local function quick(fails)
    if fails then
        error("quick and wrong")
    end
end

return { publisher = publisher, quick = quick }
