-- attack: programs and databases, which have a network of their own
-- stopped by: allow.namespaces: both are entries of somebody else
-- ends: ok
-- modules: exec, sql

local exec = require("exec")
local sql = require("sql")

local function main()
    for _, id in ipairs({ "neighbour:shell", "system:shell", "app:exec" }) do
        local found, err = exec.get(id)
        assert(not found and err, id)
        assert(err:kind() == "PermissionDenied" or err:kind() == "NotFound", err:kind())
    end
    for _, id in ipairs({ "neighbour:db", "app:db" }) do
        local found, err = sql.get(id)
        assert(not found and err, id)
        assert(err:kind() == "PermissionDenied" or err:kind() == "NotFound", err:kind())
    end
    return true
end

return { main = main }
