-- The customer's side: finds the cart of a name, or starts it, and waits for answers.

local time = require("time")
local uuid = require("uuid")

local client = {}

-- Two calls at the same time find the same process: whoever comes second gets the pid of the first.
local function cart(customer: string): (string?, error?)
    local name = "cart:" .. customer
    return process.with_options({}):with_name(name):spawn("shop:cart", "shop:carts", name)
end

local function ask(customer: string, request: any): (any, error?)
    local pid, err = cart(customer)
    if err then
        return nil, err
    end
    local topic = "reply-" .. uuid.v4()
    local replies, refused = process.listen(topic), process.listen("refused")
    request.reply = topic
    local sent, failure = process.send(pid!, "request", request)
    if not sent then
        return nil, failure
    end
    local chosen = channel.select({
        replies:case_receive(),
        refused:case_receive(),
        time.after("1s"):case_receive(),
    })
    process.unlisten(replies)
    if chosen.channel == refused then
        return nil, errors.new({ kind = errors.INVALID, message = chosen.value })
    elseif chosen.channel ~= replies then
        return nil, errors.new({ kind = errors.TIMEOUT, message = "the cart does not answer" })
    elseif type(chosen.value) == "userdata" then
        return nil, chosen.value
    end
    return chosen.value
end

function client.add(customer: string, sku: string, amount: any): (any, error?)
    return ask(customer, { op = "add", sku = sku, amount = amount })
end

function client.checkout(customer: string): (any, error?)
    return ask(customer, { op = "checkout" })
end

return client
