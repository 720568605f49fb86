-- Says that it runs, and returns when it is told to.
local function wait(name)
    local go = process.listen("go")
    process.send("pools", "running", { name = name, pid = process.pid() })
    go:receive()
    return name
end

local function recursive(depth)
    if depth == 0 then
        return 0
    end
    return funcs.call("pools:recursive", depth - 1)
end

local calls = 0
local function image()
    calls = calls + 1
    return calls
end

return { wait = wait, recursive = recursive, image = image }
