local check = require("check")

check.case("the kinds", function()
    check.equal({
        errors.NOT_FOUND, errors.ALREADY_EXISTS, errors.INVALID, errors.PERMISSION_DENIED, errors.UNAVAILABLE, errors.INTERNAL,
        errors.CANCELED, errors.CONFLICT, errors.TIMEOUT, errors.RATE_LIMITED, errors.LIMIT_EXCEEDED, errors.UNKNOWN,
    }, {
        "NotFound", "AlreadyExists", "Invalid", "PermissionDenied", "Unavailable", "Internal",
        "Canceled", "Conflict", "Timeout", "RateLimited", "LimitExceeded", "",
    })
end)

check.case("an error of a string", function()
    local err = errors.new("something")
    check.equal(type(err), "userdata")
    check.equal(err:message(), "something")
    check.equal(err:kind(), errors.UNKNOWN)
    check.is_nil(err:retryable())
    check.is_nil(err:details())
end)

check.case("an error of a table", function()
    local err = errors.new({ message = "m", kind = errors.CONFLICT, retryable = false, details = { id = 1, list = { 2 } } })
    check.equal(err:message(), "m")
    check.equal(err:kind(), errors.CONFLICT)
    check.equal(err:retryable(), false)
    check.equal(err:details(), { id = 1, list = { 2 } })
end)

check.case("wrap keeps kind, retryable and details and puts the context in front", function()
    local inner = errors.new({ message = "inner", kind = errors.TIMEOUT, retryable = true, details = { a = 1 } })
    local outer = errors.wrap(inner, "outer")
    check.equal(outer:message(), "outer: inner")
    check.equal(outer:kind(), errors.TIMEOUT)
    check.equal(outer:retryable(), true)
    check.equal(outer:details(), { a = 1 })
    check.equal(inner:message(), "inner")
    check.equal(errors.wrap(errors.wrap(inner, "b"), "a"):message(), "a: b: inner")
end)

check.case("wrap takes a plain error, too", function()
    local err = errors.wrap("plain", "context")
    check.equal(err:message(), "context: plain")
end)

check.case("is compares the kind, and takes anything", function()
    local err = errors.new({ message = "m", kind = errors.INVALID })
    check.is_true(errors.is(err, errors.INVALID))
    check.equal(errors.is(err, errors.INTERNAL), false)
    check.equal(errors.is("text", errors.INVALID), false)
    check.equal(errors.is(nil, errors.INVALID), false)
    check.is_true(errors.is(errors.wrap(err, "c"), errors.INVALID))
end)

check.case("an error prints and concatenates like its text", function()
    local err = errors.new("the text")
    check.contains(tostring(err), "the text")
    check.equal("a: " .. err, "a: " .. tostring(err))
    check.equal(err .. "!", tostring(err) .. "!")
    check.equal(err .. err, tostring(err) .. tostring(err))
    check.equal(string.format("%s", err), tostring(err))
end)

check.case("an error works with string functions and methods", function()
    local err = errors.new("the text")
    check.equal(string.len(err), #tostring(err))
    check.equal(string.upper(err), string.upper(tostring(err)))
    check.is_true(string.find(err, "text") ~= nil)
    check.equal(string.match(err, "te%a+"), "text")
    check.equal(err:upper(), tostring(err):upper())
    check.equal(err:find("text", 1, true), tostring(err):find("text", 1, true))
    check.equal(#err, #tostring(err))
end)

check.case("raising an error keeps it", function()
    local err = errors.new({ message = "m", kind = errors.NOT_FOUND })
    local ok, caught = pcall(error, err)
    check.equal(ok, false)
    check.is_true(caught == err)
    check.equal(caught:kind(), errors.NOT_FOUND)
end)

check.case("assert raises the error itself", function()
    local err = errors.new({ message = "m", kind = errors.NOT_FOUND })
    local ok, caught = pcall(assert, nil, err)
    check.equal(ok, false)
    check.equal(caught:kind(), errors.NOT_FOUND)
    check.raises("assertion failed!", assert, false)
end)

check.case("a raised string has entry and line, at level 0 nothing", function()
    check.match(check.raises("here", function()
        error("here")
    end), "^errors:main:%d+: here$")
    check.equal(check.raises("here", function()
        error("here", 0)
    end), "here")
end)

check.case("errors of Lua itself name entry and line", function()
    check.match(check.raises("attempt to index a nil value", function()
        local t = nil
        return t.x
    end), "^errors:main:%d+: attempt to index a nil value")
    check.match(check.raises("attempt to call", function()
        local f = 1
        f()
    end), "^errors:main:%d+:")
    check.match(check.raises("attempt to perform arithmetic", function()
        return {} + 1
    end), "^errors:main:%d+:")
end)

check.case("the stack has the lines that led here", function()
    local function make()
        return errors.new("with a stack")
    end
    local err = make()
    check.equal(type(err:stack()), "string")
    check.contains(err:stack(), "errors:main:")
    local stack = errors.call_stack(err)
    check.equal(type(stack), "table")
    check.is_true(#stack.frames >= 1)
    check.contains(stack.frames[1].source, "errors:main")
    check.equal(math.type(stack.frames[1].line), "integer")
end)

check.case("an error with hostile fields is refused or harmless", function()
    check.raises("", errors.new)
    for _, fields in ipairs({ {}, { message = {} }, { message = "m", kind = {} }, { message = "m", details = print } }) do
        local ok, err = pcall(errors.new, fields)
        if ok then
            check.equal({ type(err:message()), type(err:kind()), type(tostring(err)) }, { "string", "string", "string" })
        end
    end
end)

check.case("an error is equal to itself only", function()
    local a, b = errors.new("x"), errors.new("x")
    check.is_true(a == a)
    check.is_true(a ~= b)
end)

check.case("a protected metatable", function()
    check.is_true(type(getmetatable(errors.new("x"))) ~= "table")
end)

check.case("many caught errors leave no memory behind", function()
    for number = 1, 300000 do
        local ok = pcall(error, { number })
        if ok then
            error("pcall did not catch")
        end
    end
    for number = 1, 100000 do
        local err = errors.new("error " .. number)
        if pcall(error, err) then
            error("pcall did not catch")
        end
    end
end)

return { main = check.main }
