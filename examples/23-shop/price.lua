-- A function call starts from a fresh image: nothing of one customer is seen by the next.

local PRICES: {[string]: number} = { paper = 4.5, ink = 12.25, pen = 2 }

local function price(sku: string): (number?, error?)
    local found = PRICES[sku]
    if not found then
        return nil, errors.new({ kind = errors.NOT_FOUND, message = "we do not sell " .. sku })
    end
    return found
end

return { price = price }
