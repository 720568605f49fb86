export type Store = {
  get: (self: Store, key: string) -> (any, error?),
  set: (self: Store, key: string, value: any, ttl?: any) -> (boolean?, error?),
  has: (self: Store, key: string) -> (boolean?, error?),
  delete: (self: Store, key: string) -> (boolean?, error?),
  entry: (self: Store, key: string) -> (any, error?),
  put: (self: Store, ...any) -> (any, error?),
  list: (self: Store, options?: any) -> (any, error?),
  info: (self: Store) -> (any, error?),
  release: (self: Store) -> any,
}
local store: {
  get: (id: string) -> (Store?, error?),
}
return store
