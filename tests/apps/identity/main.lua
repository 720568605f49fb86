local check = require("check")
local funcs = require("funcs")

check.case("a pid names the host and is unique", function()
    check.match(process.pid(), "^{lib:terminal|[^{}|]+}$")
    local first, second = check.outcome("identity:who"), check.outcome("identity:who")
    check.match(first.pid, "^{lib:processes|[^{}|]+}$")
    check.is_true(first.pid ~= second.pid)
end)

check.case("process.id is the entry", function()
    check.equal(process.id(), "identity:main")
    check.equal(check.outcome("identity:who").id, "identity:who")
end)

check.case("arguments arrive with their types", function()
    check.equal(check.outcome("identity:echo", 1, 1.5, "two", true, nil, { a = { 1 } }), {
        n = 6, [1] = 1, [2] = 1.5, [3] = "two", [4] = true, [6] = { a = { 1 } },
    })
end)

check.case("a second value that is a string is a failure", function()
    local value, err = check.outcome("identity:second_string")
    check.is_nil(value)
    check.contains(err, "said no")
    check.equal(type(err), "userdata")
end)

check.case("a second value that is an Error is the failure", function()
    local value, err = check.outcome("identity:second_error")
    check.is_nil(value)
    check.equal(err:kind(), errors.NOT_FOUND)
    check.equal(err:message(), "gone")
    check.equal(err:retryable(), true)
    check.equal(err:details(), { id = 7 })
end)

check.case("false alone is a success", function()
    local value, err = check.outcome("identity:false_only")
    check.equal(value, false)
    check.is_nil(err)
end)

check.case("no value is a success with nil", function()
    local value, err = check.outcome("identity:nothing")
    check.is_nil(value)
    check.is_nil(err)
end)

check.case("of several values the first is the result", function()
    local value, err = check.outcome("identity:many")
    check.equal(value, 1)
    check.is_nil(err)
end)

check.case("an uncaught error is the failure, with entry and line", function()
    local value, err = check.outcome("identity:raises")
    check.is_nil(value)
    check.contains(err, "identity:raises:28: boom")
    check.equal(err:kind(), errors.INTERNAL)
end)

check.case("a raised table still ends as a failure", function()
    local value, err = check.outcome("identity:raises_table")
    check.is_nil(value)
    check.equal(type(err), "userdata")
end)

check.case("an uncaught error in a coroutine fails the process", function()
    local _, err = check.outcome("identity:coroutine_raises")
    check.contains(err, "identity:coroutine_raises:37: in a coroutine")
end)

check.case("when main returns the other coroutines end", function()
    local value, err = check.outcome("identity:leaves_others")
    check.equal(value, "done")
    check.is_nil(err)
end)

check.case("a chunk may return the function itself", function()
    check.equal(check.outcome("identity:is_function", 2, 3), 5)
end)

check.case("a missing method is an error that names entry and method", function()
    local _, err = check.outcome("identity:no_method")
    check.contains(err, "identity:no_method")
    check.contains(err, "missing")
end)

check.case("a chunk that returns neither function nor table is an error", function()
    local _, err = check.outcome("identity:no_function")
    check.contains(err, "identity:no_function")
end)

check.case("an error of the chunk itself is the failure", function()
    local _, err = check.outcome("identity:chunk_raises")
    check.contains(err, "identity:chunk_raises:2:")
end)

check.case("declared modules are globals and required; others are not found", function()
    local got = check.outcome("identity:requires", "time")
    check.equal(got.global, "table")
    check.is_true(got.required)
    check.equal(got.other[1], false)
    check.contains(got.other[2], "module 'time' not found")
    check.contains(check.outcome("identity:requires", "no such").other[2], "module 'no such' not found")
end)

check.case("imports are globals and required, also over a base global", function()
    local got = check.outcome("identity:imports")
    check.equal(got.global, "library")
    check.is_true(got.same)
    check.equal(got.alias, "library")
end)

check.case("a library has its own modules", function()
    local got = check.outcome("identity:imports")
    check.is_true(got.modules_of_library)
    check.equal(got.modules_here, "nil")
end)

check.case("an error in a library names the library", function()
    local got = check.outcome("identity:imports")
    check.is_true(got.failed)
    check.equal(got.message, "identity:library:8: from the library")
end)

check.case("a function call starts from a fresh image", function()
    for _ = 1, 3 do
        check.equal(funcs.call("identity:counted"), { count = 1, leftover = 1 })
    end
end)

return { main = check.main }
