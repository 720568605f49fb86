local function add(a, b)
    return a + b
end

local function echo(...)
    return { n = select("#", ...), ... }
end

local function fails()
    return nil, errors.new({ message = "no luck", kind = errors.CONFLICT, retryable = false, details = { try = "later" } })
end

local function raises()
    error("raised") -- line 14
end

local function raises_error()
    error(errors.new({ message = "raised error", kind = errors.NOT_FOUND, retryable = true }))
end

local function second()
    return false, "a string"
end

-- Tells somebody that it runs, then waits until it is cancelled.
local function waits(parent)
    process.send(parent, "waits", process.pid())
    return process.events():receive().kind
end

local function context(key)
    return { value = ctx.get(key), all = ctx.all() }
end

local function nested(id, ...)
    return funcs.call(id, ...)
end

local function loops(parent)
    process.send(parent, "waits", process.pid())
    while true do
    end
end

local function who()
    return { id = process.id(), pid = process.pid() }
end

-- Tells the caller of every attempt.
local function retried(parent)
    process.send(parent, "attempt")
    return nil, errors.new({ message = "busy", kind = errors.UNAVAILABLE, retryable = true })
end

local function not_retried(parent)
    process.send(parent, "attempt")
    return nil, errors.new({ message = "never", kind = errors.INVALID, retryable = false })
end

local function caller(parent, id)
    return funcs.call(id, parent)
end

return {
    add = add,
    echo = echo,
    fails = fails,
    raises = raises,
    raises_error = raises_error,
    second = second,
    waits = waits,
    context = context,
    nested = nested,
    loops = loops,
    who = who,
    retried = retried,
    not_retried = not_retried,
    caller = caller,
}
