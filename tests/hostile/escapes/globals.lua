-- attack: the globals broken for whoever comes after
-- stopped by: a fresh image for each process
-- ends: ok

local function main(role)
    if role == "child" then
        assert(string.rep("x", 2) == "xx" and type(_G.print) == "function" and _G.poison == nil)
        return true
    end
    local exec, rawset = process.exec, rawset
    _G.poison = true
    for name in pairs(_G) do
        if name ~= "_G" then
            rawset(_G, name, nil)
        end
    end
    return exec("tenant:globals", "tenant:processes", "child")
end

return { main = main }
