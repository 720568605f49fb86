-- The cart of one customer: a process that owns its items, answers requests, and ends at checkout or when nobody comes.

local funcs = require("funcs")
local orders = require("orders")
local time = require("time")

local PATIENCE = "2s"

local function main(name: string): orders.Receipt?
    local inbox = process.inbox()
    local amounts: {[string]: integer} = {}
    local receipt: orders.Receipt = { items = 0, total = 0 }
    while true do
        local chosen = channel.select({ inbox:case_receive(), time.after(PATIENCE):case_receive() })
        if chosen.channel ~= inbox then
            return nil
        end
        local message = chosen.value
        local customer: any = message:from()
        -- Anybody may send anything, so a message is only trusted once its type has said yes.
        local request, problem = orders.Request:is(message:payload():data())
        if not request then
            process.send(customer, "refused", tostring(problem))
        elseif request.op == "add" then
            local price, err = funcs.call("shop:price", request.sku)
            if err then
                process.send(customer, request.reply, err)
            else
                amounts[request.sku] = (amounts[request.sku] or 0) + request.amount
                receipt.items = receipt.items + request.amount
                receipt.total = receipt.total + price * request.amount
                process.send(customer, request.reply, amounts[request.sku])
            end
        else
            -- First the name, so that whoever comes after the answer gets a new cart.
            assert(process.registry.unregister(name))
            process.send(customer, request.reply, receipt)
            return receipt
        end
    end
end

return { main = main }
