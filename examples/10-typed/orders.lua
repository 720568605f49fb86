-- Types are optional: they say what a value is, and cost nothing when the code runs.

export type Item = {
    name: string,
    price: number,
    amount?: integer,
}

export type Order = {
    customer: string,
    items: {Item},
    discount?: number,
}

type Priced = { total: number, count: integer }

-- A function says what it takes and what it gives, here also that it may fail.
local function price(order: Order): (Priced?, error?)
    if #order.items == 0 then
        return nil, errors.new({ message = "an order needs an item", kind = errors.INVALID })
    end
    local total: number, count: integer = 0, 0
    for _, item: Item in ipairs(order.items) do
        local amount: integer = item.amount or 1
        total = total + item.price * amount
        count = count + amount
    end
    return { total = total * (1 - (order.discount or 0)), count = count }
end

-- A generic function keeps the type of what goes through it.
local function map<T, R>(list: {T}, convert: (T) -> R): {R}
    local result: {R} = {}
    for index, value in ipairs(list) do
        result[index] = convert(value)
    end
    return result
end

return { price = price, map = map }
