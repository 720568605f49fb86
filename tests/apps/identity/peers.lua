local function who()
    return { pid = process.pid(), id = process.id() }
end

local function echo(...)
    return { n = select("#", ...), ... }
end

local function second_string()
    return false, "said no"
end

local function second_error()
    return "ignored", errors.new({ message = "gone", kind = errors.NOT_FOUND, retryable = true, details = { id = 7 } })
end

local function false_only()
    return false
end

local function nothing() end

local function many()
    return 1, nil, 3
end

local function raises()
    error("boom") -- line 28
end

local function raises_table()
    error({ code = 4 })
end

local function coroutine_raises()
    coroutine.spawn(function()
        error("in a coroutine") -- line 37
    end)
    channel.new():receive()
end

local function leaves_others()
    coroutine.spawn(function()
        channel.new():receive() -- waits for ever; the end of main ends it
    end)
    return "done"
end

return {
    who = who,
    echo = echo,
    second_string = second_string,
    second_error = second_error,
    false_only = false_only,
    nothing = nothing,
    many = many,
    raises = raises,
    raises_table = raises_table,
    coroutine_raises = coroutine_raises,
    leaves_others = leaves_others,
}
