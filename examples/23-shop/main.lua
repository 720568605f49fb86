local client = require("client")
local io = require("io")

local function add(customer: string, sku: string, amount: any)
    local count, err = client.add(customer, sku, amount)
    if err then
        io.print(customer .. ": " .. err:message())
    else
        io.print(customer .. " has " .. count .. " " .. sku)
    end
end

local function main()
    add("ada", "paper", 2)
    add("bob", "ink", 1)
    add("ada", "paper", 3)
    add("bob", "gold", 1)
    add("bob", "pen", 1000)
    add("bob", "; drop", 1)

    for _, customer in ipairs({ "ada", "bob" }) do
        local receipt = client.checkout(customer)
        io.print(string.format("%s pays %.2f for %d", customer, receipt.total, receipt.items))
    end
    -- Checkout ended the process; the next request starts a new cart.
    add("ada", "pen", 1)
end

return { main = main }
