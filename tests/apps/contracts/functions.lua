local function greet()
    return "hello"
end

local function greet_with_name(name)
    return "hello " .. name
end

local function context()
    return ctx.all()
end

-- Fails, and tells whoever listens that it was called.
local function flaky()
    process.send("contracts.counter", "called")
    return nil, errors.new({ message = "not now", kind = errors.UNAVAILABLE, retryable = true })
end

return { greet = greet, greet_with_name = greet_with_name, context = context, flaky = flaky }
