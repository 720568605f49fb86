local function number()
    return 7
end

local function zero()
    return 0
end

local function float()
    return 3.0
end

local function says_true()
    return true
end

local function says_false()
    return false
end

local function text()
    return "a printed text"
end

local function empty_text()
    return ""
end

local function nothing() end

local function a_table()
    return { 1, 2 }
end

local function an_error()
    return nil, errors.new({ message = "the store is closed", kind = errors.UNAVAILABLE })
end

local function an_error_string()
    return nil, "a plain failure"
end

local function raises()
    error("boom") -- line 44
end

local function inner()
    local missing = nil
    return missing.field -- line 49
end

local function raises_deep()
    local value = inner() -- line 53
    return value
end

local function raises_error()
    error(errors.new({ message = "not found at all", kind = errors.NOT_FOUND }))
end

local function raises_in_coroutine()
    coroutine.spawn(function()
        error("in a coroutine") -- line 63
    end)
    process.inbox():receive()
end

local function second_wins()
    return 5, "a failure after all"
end

local function deadlock()
    local ch = channel.new()
    coroutine.spawn(function()
        ch:send(1) -- line 75: taken below
        channel.new():send(2) -- line 76
    end)
    ch:receive()
    ch:receive() -- line 79
end

local function joins(a, b)
    return a .. "+" .. b
end

local function counts(...)
    return { count = select("#", ...) }
end

local function refuses()
    return nil, errors.new("not today")
end

return {
    number = number,
    zero = zero,
    float = float,
    says_true = says_true,
    says_false = says_false,
    text = text,
    empty_text = empty_text,
    nothing = nothing,
    a_table = a_table,
    an_error = an_error,
    an_error_string = an_error_string,
    raises = raises,
    raises_deep = raises_deep,
    raises_error = raises_error,
    raises_in_coroutine = raises_in_coroutine,
    second_wins = second_wins,
    deadlock = deadlock,
    joins = joins,
    counts = counts,
    refuses = refuses,
}
