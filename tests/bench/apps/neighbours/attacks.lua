-- The worst that a tenant can do to the scheduler, each on a host of its own.

local function loop()
    while true do end
end

local function errors()
    while true do
        pcall(error, {})
    end
end

-- Fills its memory, catches that there is none left, and starts over.
local function memory()
    while true do
        pcall(function()
            local list = {}
            while true do
                list[#list + 1] = ("x"):rep(1000) .. #list
            end
        end)
    end
end

-- Single operations that copy as much as fits.
local function strings()
    while true do
        local text = ("x"):rep(16000000)
        local _ = text .. text
    end
end

local function pattern()
    while true do
        (("a"):rep(3000)):find(("a*"):rep(20) .. "b")
    end
end

local function child() end

local function spawns()
    while true do
        process.spawn("app:child", "app:tenant_spawns")
    end
end

-- Fills a mailbox that nobody reads, again and again.
local function messages()
    local own, body = process.pid(), ("x"):rep(60000)
    while true do
        if not process.send(own, "flood", body) then
            process.unlisten(process.listen("flood"))
        end
    end
end

local function calls()
    while true do
        process.registry.lookup("nobody")
    end
end

return {
    loop = loop, errors = errors, memory = memory, strings = strings, pattern = pattern, spawns = spawns, messages = messages,
    calls = calls, child = child,
}
