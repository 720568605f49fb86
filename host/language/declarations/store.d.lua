export type StoreEntry = { key: string, value: any, version: string }
export type StorePage = { items: {StoreEntry}, cursor: string, has_more: boolean }
export type StoreInfo = {
  id: string,
  backend: string,
  consistency: string,
  durable: boolean,
  list: boolean,
  versioned: boolean,
  conditional_put: boolean,
  ttl: boolean,
}
export type Store = {
  get: (self: Store, key: string) -> (any, error?),
  set: (self: Store, key: string, value: any, ttl?: number | string) -> (boolean?, error?),
  has: (self: Store, key: string) -> (boolean?, error?),
  delete: (self: Store, key: string) -> (boolean?, error?),
  entry: (self: Store, key: string) -> (StoreEntry?, error?),
  put: (self: Store, key: string, value: any, options?: { ttl?: number | string, only_if_absent?: boolean, if_version?: string }) -> (StoreEntry?, error?),
  list: (self: Store, options?: { prefix?: string, after?: string, limit?: integer }) -> (StorePage?, error?),
  info: (self: Store) -> (StoreInfo?, error?),
  release: (self: Store) -> boolean,
}
local store: {
  get: (id: string) -> (Store?, error?),
  backend: { MEMORY: string, SQL: string, KV_RAFT: string, KV_CRDT: string, UNKNOWN: string },
  consistency: { LINEARIZABLE: string, EVENTUAL: string, LOCAL: string, UNKNOWN: string },
}
return store
