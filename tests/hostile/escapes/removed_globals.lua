-- attack: what stock Lua has and this runtime leaves out
-- stopped by: what the guest is made of
-- ends: ok

local function main()
    for _, name in ipairs({ "io", "debug", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "package", "warn", "newproxy", "module", "setfenv", "getfenv" }) do
        assert(_G[name] == nil, name)
        assert(_ENV[name] == nil, name)
    end
    for _, name in ipairs({ "execute", "exit", "getenv", "remove", "rename", "tmpname", "setlocale" }) do
        assert(os[name] == nil, name)
    end
    return true
end

return { main = main }
