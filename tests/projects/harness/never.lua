-- Calls that never come back by themselves: what the options `waits` and `listens` of rows are.

local function hear(object)
    return object:channel():receive()
end

-- Adds them to the rows; `kit` has the functions that rows are made with.
local function add(rows, kit)
    local call, of, ok = kit.call, kit.of, kit.ok

    local function never(name, option, run)
        rows[name][option] = run
    end

    local function endless_url(scheme)
        return (kit.url("/waits")():gsub("^http", scheme or "http"))
    end
    for _, name in ipairs({ "get", "post" }) do
        never("http_client." .. name, "waits", function()
            return require("http_client")[name](endless_url())
        end)
    end
    never("http_client.request", "waits", function()
        return require("http_client").request("POST", endless_url())
    end)
    never("http_client.request_batch", "waits", function()
        return require("http_client").request_batch({ { "GET", endless_url() }, { "POST", endless_url() } })
    end)
    never("websocket.connect", "waits", function()
        return require("websocket").connect(endless_url("ws"))
    end)
    never("websocket.Client:channel", "listens", hear)
    never("events.Subscription:channel", "listens", hear)
    never("pg.GroupSubscription:channel", "listens", hear)
    never("time.Timer:channel", "waits", hear)
    never("time.after", "waits", function()
        return ok(require("time").after("1h")):receive()
    end)
    never("funcs.Future:response", "waits", function()
        return ok(require("funcs").async("app:waits")):response():receive()
    end)
    never("crypto.pbkdf2", "waits", of("crypto", "pbkdf2", "password", "salt", 10000000, 1024))
    never("exec.Process:write_stdin", "waits", function()
        local made = kit.started("sleep 3600")()
        return made:write_stdin(("x"):rep(1000000)), made
    end)
    -- Each waits for the connection that a transaction has.
    for name, run in pairs({ begin = call("begin"), execute = call("execute", "SELECT 1"), prepare = call("prepare", "SELECT 1") }) do
        never("sql.Database:" .. name, "waits", function(object)
            local open, failure = object:begin()
            if not open then
                return nil, failure
            end
            local value, err = run(object)
            return value, err, open
        end)
    end
end

return add
