-- What clients and the store say to each other. The types are checked before the run, and validate messages during it.

type Key = string @min_len(1)

type Get = { op: "get", key: Key, reply_to: string }
type Put = { op: "put", key: Key, value: any, reply_to: string }
type Delete = { op: "delete", key: Key, reply_to: string }

-- One request is one of these; `op` tells which.
type Request = Get | Put | Delete

type Reply = { value: any, error: error? }

return { Request = Request, Reply = Reply }
