-- Calls every function of every module with what it does not expect. Each call raises, or gives an Error, or makes sense of it; none
-- ends the process.
local check = require("check")

local MODULES = {
    "archive", "base64", "cloudstorage", "compress", "contract", "crypto", "ctx", "env", "events", "excel", "expr", "fs", "funcs", "hash",
    "html", "json", "metrics", "queue", "registry", "security", "sql", "store", "templates", "text", "time", "tty", "uuid", "yaml",
}

-- These wait for what will not come, or for as long as they are told.
local SKIPPED = { ["time.sleep"] = true }

local deep = {}
for _ = 1, 12 do
    deep = { deep, x = deep }
end

local ODD = {
    true, -1, 0, 2 ^ 53, 1e308, -1e308, 0 / 0, math.mininteger, "", "x", "\xff\0", ("long"):rep(2000), "../../..", {}, { 1, 2 }, { a = 1 },
    { [1.5] = 1 }, { { { {} } } }, print, coroutine.create(print), errors.new("x"),
}

local function calls(name, run)
    local function try(...)
        local results = table.pack(pcall(run, ...))
        if not results[1] then
            local kind = type(results[2])
            check.is_true(kind == "string" or kind == "userdata", name .. " raised a " .. kind)
            check.is_true(#tostring(results[2]) < 2000, name .. " raised a book")
        elseif results[2] == nil and results[3] ~= nil then
            check.equal(type(results[3]), "userdata", name .. " failed with")
            check.is_true(#results[3]:message() > 0, name .. " failed without a message")
            check.is_true(#results[3]:message() < 2000, name .. " failed with a book")
        end
    end
    try()
    for _, odd in ipairs(ODD) do
        try(odd)
        try(odd, odd)
        try("x", odd)
        try("x", "y", odd)
        try(nil, odd)
        try({}, odd, odd)
    end
    try(deep)
    try("x", deep)
    try(table.unpack(ODD))
end

local function walk(name, value, depth)
    if type(value) == "function" then
        if not SKIPPED[name] then
            calls(name, value)
        end
    elseif type(value) == "table" and depth < 4 then
        for key, inner in pairs(value) do
            walk(name .. "." .. tostring(key), inner, depth + 1)
        end
    end
end

for _, name in ipairs(MODULES) do
    check.case(name .. " survives odd arguments", function()
        walk(name, require(name), 1)
    end)
end

return { main = check.main }
