local io = require("io")
local orders = require("orders")

-- The types of an imported library have its name in front.
local function describe(order: orders.Order): string
    local names: {string} = orders.map(order.items, function(item: orders.Item): string
        return item.name
    end)
    local priced, err = orders.price(order)
    if err then
        return order.customer .. ": " .. err:message()
    end
    -- `!` says that a value is not nil.
    local total = string.format("%.2f", priced!.total)
    return order.customer .. ": " .. table.concat(names, " and ") .. ", " .. priced!.count .. " in all, " .. total
end

local function main()
    io.print(describe({
        customer = "Ada",
        items = { { name = "paper", price = 4.5 }, { name = "ink", price = 12.25, amount = 2 } },
        discount = 0.1,
    }))
    io.print(describe({ customer = "Bob", items = {} }))

    -- A cast changes what the checker knows, not the value.
    local anything: any = 41
    io.print((anything :: integer) + 1)
end

return { main = main }
