local io = require("io")
local registry = require("registry")
local funcs = require("funcs")

local answers = process.listen("answer")

-- What a person, or a model, might have typed in.
local function tool(source)
    return {
        id = "app.tools:double",
        kind = "function.lua",
        meta = { type = "tool", title = "Doubles a number" },
        data = { source = source, method = "handler" },
    }
end

local function apply(build)
    local changes = registry.snapshot():changes()
    build(changes)
    return changes:apply()
end

local function ask(pid)
    process.send(pid, "ask", process.pid())
    return answers:receive()
end

local function main()
    -- A function that no file holds.
    local first = assert(apply(function(changes)
        changes:create(tool("return { handler = function(n) return n + n end }"))
    end))
    io.print("double(21) = " .. funcs.call("app.tools:double", 21))
    for _, entry in ipairs(registry.find({ ["meta.type"] = "tool" })) do
        io.print("tool " .. entry.id .. ": " .. entry.meta.title)
    end

    -- New code serves the next call.
    apply(function(changes)
        changes:update(tool("return { handler = function(n) return n .. ' ' .. n end }"))
    end)
    io.print("double(21) = " .. funcs.call("app.tools:double", 21))

    -- All or nothing: one mistake, and nothing of the set happens.
    local _, err = apply(function(changes)
        changes:create({ id = "app.tools:fine", kind = "registry.entry" })
        changes:update(tool("return { handler = function(n) return n + end }"))
    end)
    io.print(err:kind() .. ": " .. err:message())
    io.print("there is a `fine`: " .. tostring(registry.get("app.tools:fine") ~= nil))

    -- Back to the version with the first code.
    assert(registry.apply_version(first))
    io.print("double(21) = " .. funcs.call("app.tools:double", 21))

    -- A process goes on with new code: same pid, and its state comes along.
    local pid = process.spawn("app:counter", "app:processes")
    ask(pid)
    io.print("counter: " .. ask(pid))
    apply(function(changes)
        changes:update({ id = "app:greeting", kind = "library.lua", data = { source = "return 'good evening'" } })
    end)
    io.print("counter: " .. ask(pid))
end

return { main = main }
