local io = require("io")
local funcs = require("funcs")
local security = require("security")

type Person = { name: string, tenant: string, role: string }

local tenants, missing = security.named_scope("app:tenant")

-- Makes an executor whose calls act for somebody.
local function acting_for(person: Person)
    local actor = security.new_actor("user:" .. person.name, { role = person.role, prefix = person.tenant .. "/" })
    return funcs.new():with_actor(actor):with_scope(tenants!)
end

-- An error says what was denied, to whom and why, and then what would allow it.
local function say(what: string, value: any, err: error?)
    local reason = err and string.match(err:message(), "[^;\n]*")
    io.print(what .. ": " .. (reason or tostring(value)))
end

local function main()
    if missing then
        return nil, missing
    end
    local ada = acting_for({ name = "ada", tenant = "acme", role = "writer" })
    local bob = acting_for({ name = "bob", tenant = "bolt", role = "writer" })
    local rita = acting_for({ name = "rita", tenant = "acme", role = "reader" })

    say("ada writes", ada:call("app:write_note", "acme/plan", "more tea"))
    say("rita reads", rita:call("app:read_note", "acme/plan"))
    say("rita writes", rita:call("app:write_note", "acme/plan", "no tea"))
    say("bob reads", bob:call("app:read_note", "acme/plan"))
    say("the desk itself", funcs.call("app:read_note", "acme/plan"))
end

return { main = main }
