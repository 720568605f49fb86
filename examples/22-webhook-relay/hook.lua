-- Takes a webhook, and passes it on to whoever listens to its channel.

local crypto = require("crypto")
local env = require("env")
local http = require("http")
local json = require("json")
local pg = require("pg")

local function answer(status: integer, value: any)
    local res = http.response()
    res:set_status(status)
    res:write_json(value)
end

local function hook(): (nil, error?)
    local req = http.request()
    local secret, missing = env.get("HOOK_SECRET")
    if missing then
        return nil, missing
    end
    local body: string = req:body()
    local signature = crypto.hmac.sha256(secret, body)
    -- In constant time, so that nobody finds a signature by trying.
    if not crypto.constant_time_compare(signature or "", req:header("X-Signature") or "") then
        return answer(http.STATUS.UNAUTHORIZED, { error = "the signature is missing or wrong" })
    end
    local event, problem = json.decode(body)
    if problem then
        return answer(http.STATUS.BAD_REQUEST, { error = problem:message() })
    end
    local channel: string = req:param("channel")
    local listeners, failed = pg.open("app:listeners")
    if failed then
        return nil, failed
    end
    local members = listeners:get_members(channel) or {}
    local _, unsent = listeners:broadcast(channel, "hook", event)
    if unsent then
        return nil, unsent
    end
    return answer(http.STATUS.ACCEPTED, { listeners = #members })
end

return { hook = hook }
