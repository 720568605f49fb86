-- What customers and carts say to each other. The types are checked before the run, and validate messages during it.

type Sku = string @pattern("^[a-z]+$")

type Add = { op: "add", sku: Sku, amount: integer @min(1) @max(99), reply: string }
type Checkout = { op: "checkout", reply: string }

-- One request is one of these; `op` tells which.
type Request = Add | Checkout

type Receipt = { items: integer, total: number }

return { Request = Request, Receipt = Receipt }
