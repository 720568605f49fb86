local check = require("check")
local pg = require("pg")

local function open()
    local scope, err = pg.open("groups:scope")
    check.is_nil(err)
    return scope
end

local function member(group, times)
    local joined = process.listen("joined")
    local pid = check.spawn("groups:member", process.pid(), group, times or 1)
    check.equal(check.receive(joined), pid)
    return pid
end

check.case("a process joins and leaves", function()
    local scope = open()
    check.equal(scope:join("a"), true)
    check.equal(scope:get_members("a"), { process.pid() })
    check.equal(scope:get_local_members("a"), { process.pid() })
    check.equal(scope:leave("a"), true)
    check.equal(scope:get_members("a"), {})
    check.fails(errors.INVALID, scope:leave("a"))
end)

check.case("several groups at once, and one group several times", function()
    local scope = open()
    check.equal(scope:join({ "x", "y", "x" }), true)
    check.equal(scope:which_groups(), { "x", "y" })
    check.equal(scope:which_local_groups(), { "x", "y" })
    check.equal(#scope:get_members("x"), 2)
    check.equal(scope:leave({ "x", "y", "none" }), true)
    check.equal(scope:which_groups(), { "x" })
    scope:leave("x")
    check.equal(scope:which_groups(), {})
end)

check.case("a broadcast reaches every member once, in the name of its sender", function()
    local scope = open()
    local got = process.listen("got")
    local one, two = member("workers"), member("workers", 2)
    check.equal(scope:broadcast("workers", "task", { id = 42 }), true)
    local by = {}
    for _ = 1, 2 do
        local message = check.receive(got)
        by[message.by] = true
        check.equal(message.from, process.pid())
        check.equal(message.data, { id = 42 })
    end
    check.is_true(by[one] and by[two])
    check.empty(got)
    check.equal(scope:broadcast_local("nobody", "task", 1), true)
    process.terminate(one)
    process.terminate(two)
end)

check.case("monitor gives the members and then what changes; an end counts for each time that was joined", function()
    local scope = open()
    local first = member("watched")
    local sub, members, err = scope:monitor("watched")
    check.is_nil(err)
    check.equal(members, { first })
    local news = sub:channel()
    local second = member("watched", 2)
    for _ = 1, 2 do
        check.equal(check.receive(news), {
            system = "pg", kind = "member.joined", path = "watched", data = { Group = "watched", PIDs = { second } },
        })
    end
    member("other")
    process.terminate(second)
    check.equal(check.receive(news), {
        system = "pg", kind = "member.left", path = "watched", data = { Group = "watched", PIDs = { second, second } },
    })
    process.terminate(first)
    check.equal(check.receive(news).data.PIDs, { first })
    check.equal(sub:close(), true)
    check.equal(sub:close(), true)
    local _, ok = check.receive(news)
    check.equal(ok, false)
end)

check.case("events tell of all groups", function()
    local scope = open()
    scope:join("here")
    local sub, snapshot = scope:events()
    check.equal(snapshot.here, { process.pid() })
    scope:join("there")
    check.equal(check.receive(sub:channel()).path, "there")
    scope:leave({ "here", "there" })
    sub:close({ flush = true })
    check.equal(check.receive(sub:channel()).kind, "member.left")
    check.equal(check.receive(sub:channel()).kind, "member.left")
    local _, ok = check.receive(sub:channel())
    check.equal(ok, false)
end)

check.case("scopes are apart, and bounded by their entries", function()
    local scope, narrow = open(), pg.open("groups:narrow")
    scope:join("same")
    check.equal(narrow:get_members("same"), {})
    check.equal(narrow:join("one"), true)
    check.fails(errors.LIMIT_EXCEEDED, narrow:join("two"))
    check.equal(narrow:join("one"), true)
    check.fails(errors.LIMIT_EXCEEDED, narrow:join("one"))
    scope:leave("same")
end)

check.case("what is missing or released is an error", function()
    local scope = open()
    check.fails(errors.INTERNAL, pg.open("groups:none"))
    check.fails(errors.INVALID, pg.open(""))
    check.fails(errors.INVALID, scope:join())
    check.fails(errors.INVALID, scope:join(""))
    check.fails(errors.INVALID, scope:join({}))
    check.fails(errors.INVALID, scope:get_members())
    check.fails(errors.INVALID, scope:broadcast("g"))
    check.fails(errors.INVALID, scope:broadcast("g", "@topic"))
    check.equal(scope:release(), true)
    check.equal(scope:release(), true)
    check.fails(errors.INVALID, scope:join("g"))
    local sub, members, err = scope:monitor("g")
    check.is_nil(sub)
    check.is_nil(members)
    check.equal(err:kind(), errors.INVALID)
end)

return { main = check.main }
