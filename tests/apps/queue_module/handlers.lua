local queue = require("queue")
local security = require("security")

-- Says what it got to the process that the message names, and does what the message says.
local function handle(body)
    local message = assert(queue.message())
    local told = {
        id = message:id(),
        n = body.n,
        attempt = message:attempts(),
        headers = message:headers(),
        color = message:header("color"),
        none = message:header("none"),
        body = body,
        actor = security.actor() and security.actor():id(),
    }
    process.send("queue_test", "handled", told)
    if body.act == "fail" then
        error("made to fail")
    elseif body.act == "fail_once" and message:attempts() == 1 then
        return false
    elseif body.act == "error_once" and message:attempts() == 1 then
        return nil, errors.new({ message = "not now", kind = errors.UNAVAILABLE })
    elseif body.act == "ack_then_fail" then
        local ok = message:ack()
        local again, err = message:ack()
        process.send("queue_test", "settled", { ok = ok, again = again, kind = err and err:kind() })
        error("after it was settled")
    elseif body.act == "nack_once" and message:attempts() == 1 then
        message:nack()
        return true
    elseif body.act == "wait" then
        process.send("queue_test", "waiting", process.pid())
        process.inbox():receive()
    end
    return true
end

local function bury(body)
    local message = assert(queue.message())
    process.send("queue_test", "buried", { n = body.n, headers = message:headers() })
end

return { handle = handle, bury = bury }
